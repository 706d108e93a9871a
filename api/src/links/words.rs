//! The words of the page, in the languages of the messages. As neutral as those: a phone on a table shows them to anyone.

/// The outcome codes whose words reveal nothing, whatever programme they stand in; every other one is for a system behind a login.
pub(super) const CODES: [&str; 14] = [
    "done",
    "held",
    "reached",
    "answered",
    "agreed",
    "accepted",
    "assigned",
    "arrived",
    "moved",
    "declined",
    "no_response",
    "no_answer",
    "unreachable",
    "no_show",
];

/// The words of one language.
pub(super) struct Words {
    /// Its tag.
    pub(super) tag: &'static str,
    /// `ltr` or `rtl`.
    pub(super) direction: &'static str,
    /// There is a task.
    pub(super) open: &'static str,
    /// The button: I have seen this.
    pub(super) seen: &'static str,
    /// The button: it is done.
    pub(super) done: &'static str,
    /// What came of it?
    pub(super) what_came: &'static str,
    /// Other answers, and the rest, stand behind the login.
    pub(super) log_in_for_more: &'static str,
    /// Thank you.
    pub(super) thanks: &'static str,
    /// It was noted.
    pub(super) noted: &'static str,
    /// It is over.
    pub(super) over: &'static str,
    /// Nothing needs doing.
    pub(super) nothing_to_do: &'static str,
    /// Not possible at this moment.
    pub(super) not_now: &'static str,
    /// The link does not work, or no more.
    pub(super) gone: &'static str,
    /// Log in to see how things stand.
    pub(super) log_in: &'static str,
    /// Labels, in the order of [`CODES`].
    pub(super) outcomes: [&'static str; CODES.len()],
}

const NL: Words = Words {
    tag: "nl",
    direction: "ltr",
    open: "Er staat een taak voor u open",
    seen: "Ik heb dit gezien",
    done: "Gedaan",
    what_came: "Wat is ervan gekomen?",
    log_in_for_more: "Iets anders? Log dan in.",
    thanks: "Dank u wel",
    noted: "Het is genoteerd.",
    over: "Deze taak is al afgerond",
    nothing_to_do: "U hoeft niets meer te doen.",
    not_now: "Dat kan nu niet",
    gone: "Deze link werkt niet of niet meer",
    log_in: "Log in om te zien hoe het ervoor staat.",
    outcomes: [
        "Gedaan",
        "Doorgegaan",
        "Bereikt",
        "Beantwoord",
        "Afgesproken",
        "Aangenomen",
        "Toegewezen",
        "Aangekomen",
        "Verplaatst",
        "Niet gewenst",
        "Geen reactie",
        "Geen gehoor",
        "Niet te bereiken",
        "Niet verschenen",
    ],
};

const EN: Words = Words {
    tag: "en",
    direction: "ltr",
    open: "There is a task for you",
    seen: "I have seen this",
    done: "Done",
    what_came: "What came of it?",
    log_in_for_more: "Something else? Please log in.",
    thanks: "Thank you",
    noted: "It has been noted.",
    over: "This task is already finished",
    nothing_to_do: "There is nothing left for you to do.",
    not_now: "That is not possible now",
    gone: "This link does not work, or no longer works",
    log_in: "Log in to see how things stand.",
    outcomes: [
        "Done",
        "Took place",
        "Reached",
        "Answered",
        "Agreed",
        "Accepted",
        "Assigned",
        "Arrived",
        "Moved",
        "Not wanted",
        "No response",
        "No answer",
        "Could not be reached",
        "Did not appear",
    ],
};

const UK: Words = Words {
    tag: "uk",
    direction: "ltr",
    open: "Для Вас є завдання",
    seen: "Я це побачив або побачила",
    done: "Виконано",
    what_came: "Який результат?",
    log_in_for_more: "Щось інше? Увійдіть у систему.",
    thanks: "Дякуємо",
    noted: "Записано.",
    over: "Це завдання вже завершено",
    nothing_to_do: "Більше нічого робити не потрібно.",
    not_now: "Зараз це неможливо",
    gone: "Це посилання не діє або вже не діє",
    log_in: "Увійдіть у систему, щоб побачити стан справ.",
    outcomes: [
        "Виконано",
        "Відбулося",
        "Вдалося зв’язатися",
        "Є відповідь",
        "Домовлено",
        "Прийнято",
        "Призначено",
        "Прибуття підтверджено",
        "Перенесено",
        "Не бажають",
        "Без реакції",
        "Не відповідають",
        "Не вдалося зв’язатися",
        "Не з’явилися",
    ],
};

const RU: Words = Words {
    tag: "ru",
    direction: "ltr",
    open: "Для Вас есть задача",
    seen: "Я это увидел или увидела",
    done: "Сделано",
    what_came: "Каков результат?",
    log_in_for_more: "Что-то другое? Войдите в систему.",
    thanks: "Спасибо",
    noted: "Записано.",
    over: "Эта задача уже завершена",
    nothing_to_do: "Больше ничего делать не нужно.",
    not_now: "Сейчас это невозможно",
    gone: "Эта ссылка не работает или больше не работает",
    log_in: "Войдите в систему, чтобы увидеть, как обстоят дела.",
    outcomes: [
        "Сделано",
        "Состоялось",
        "Удалось связаться",
        "Есть ответ",
        "Договорились",
        "Принято",
        "Назначено",
        "Прибытие подтверждено",
        "Перенесено",
        "Не желают",
        "Без реакции",
        "Не отвечают",
        "Не удалось связаться",
        "Не пришли",
    ],
};

const AR: Words = Words {
    tag: "ar",
    direction: "rtl",
    open: "لديكم مهمة",
    seen: "اطلعت على ذلك",
    done: "تم الإنجاز",
    what_came: "ما النتيجة؟",
    log_in_for_more: "شيء آخر؟ يرجى تسجيل الدخول.",
    thanks: "شكرًا لكم",
    noted: "تم التسجيل.",
    over: "انتهت هذه المهمة",
    nothing_to_do: "لم يعد عليكم فعل أي شيء.",
    not_now: "هذا غير ممكن الآن",
    gone: "هذا الرابط لا يعمل أو لم يعد يعمل",
    log_in: "يرجى تسجيل الدخول لمعرفة الوضع.",
    outcomes: [
        "تم الإنجاز",
        "تم اللقاء",
        "تم التواصل",
        "تمت الإجابة",
        "تم الاتفاق",
        "تم القبول",
        "تم التعيين",
        "تم الوصول",
        "تم التأجيل",
        "غير مرغوب",
        "لا رد",
        "لا إجابة على الاتصال",
        "تعذر التواصل",
        "لم يحضر",
    ],
};

const TR: Words = Words {
    tag: "tr",
    direction: "ltr",
    open: "Sizin için bir görev var",
    seen: "Bunu gördüm",
    done: "Yapıldı",
    what_came: "Sonuç ne oldu?",
    log_in_for_more: "Başka bir şey mi? Lütfen giriş yapın.",
    thanks: "Teşekkür ederiz",
    noted: "Kaydedildi.",
    over: "Bu görev zaten tamamlandı",
    nothing_to_do: "Yapmanız gereken bir şey kalmadı.",
    not_now: "Bu şu anda mümkün değil",
    gone: "Bu bağlantı çalışmıyor veya artık çalışmıyor",
    log_in: "Durumu görmek için giriş yapın.",
    outcomes: [
        "Yapıldı",
        "Gerçekleşti",
        "Ulaşıldı",
        "Cevaplandı",
        "Anlaşıldı",
        "Kabul edildi",
        "Atandı",
        "Vardı",
        "Ertelendi",
        "İstenmedi",
        "Tepki yok",
        "Cevap yok",
        "Ulaşılamadı",
        "Gelmedi",
    ],
};

/// Every language of the page.
pub(super) const ALL: [&Words; 6] = [&NL, &EN, &UK, &RU, &AR, &TR];

/// The words for a person's language (BCP 47), by its first part; English for one we do not have, as their messages are.
pub(super) fn of(tag: &str) -> &'static Words {
    find(tag).unwrap_or(&EN)
}

/// The words for somebody we do not know: the first of what their browser says it reads, else Dutch.
pub(super) fn of_tag(accept_language: &str) -> &'static Words {
    let tags = accept_language.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    tags.filter_map(find).next().unwrap_or(&NL)
}

fn find(tag: &str) -> Option<&'static Words> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    ALL.into_iter().find(|words| words.tag.eq_ignore_ascii_case(primary))
}

/// The place of an outcome among those that a page may show.
pub(super) fn place(code: &str) -> Option<usize> {
    CODES.iter().position(|known| *known == code)
}
