//! One file per resource: how it is asked for, and how it is shown.

mod calendar;
mod units;

use poem_openapi::OpenApi;

/// All resources. A tuple holds sixteen at most; nest another one when it is full.
pub(crate) fn apis() -> impl OpenApi {
    (units::Units, ())
}
