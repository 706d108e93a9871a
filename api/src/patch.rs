//! A member of a merge patch (RFC 7396): absent leaves it, `null` clears it, a value sets it.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;
use uuid::Uuid;

use crate::types::{Day, Instant, TimeOfDay};

/// A member that may be cleared, published as nullable. Members that cannot be cleared are plain `Option`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not in the patch.
    #[default]
    Keep,
    /// `null` in the patch.
    Clear,
    /// A new value.
    Set(T),
}

impl<T> Patch<T> {
    /// As the domain takes it: nothing, or what it becomes.
    pub fn into_change<D>(self, convert: impl FnOnce(T) -> D) -> Option<Option<D>> {
        match self {
            Patch::Keep => None,
            Patch::Clear => Some(None),
            Patch::Set(value) => Some(Some(convert(value))),
        }
    }
}

/// What can be cleared by `null`: plain scalars only. `nullable` beside a `$ref` is not valid for strict tools, so enums
/// and objects are never cleared this way.
pub trait Clearable: Type {}

impl Clearable for String {}
impl Clearable for Uuid {}
impl Clearable for i32 {}
impl Clearable for i64 {}
impl Clearable for bool {}
impl Clearable for Instant {}
impl Clearable for Day {}
impl Clearable for TimeOfDay {}

impl<T: Clearable> Type for Patch<T> {
    const IS_REQUIRED: bool = false;
    type RawValueType = T;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref().merge(MetaSchema { nullable: true, ..MetaSchema::ANY })
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        match self {
            Patch::Set(value) => Some(value),
            Patch::Keep | Patch::Clear => None,
        }
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        match self {
            Patch::Set(value) => value.raw_element_iter(),
            Patch::Keep | Patch::Clear => Box::new(std::iter::empty()),
        }
    }
}

impl<T: Clearable + ParseFromJSON> ParseFromJSON for Patch<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            None => Ok(Patch::Keep),
            Some(Value::Null) => Ok(Patch::Clear),
            Some(value) => T::parse_from_json(Some(value)).map(Patch::Set).map_err(ParseError::propagate),
        }
    }
}

impl<T: Clearable + ToJSON> ToJSON for Patch<T> {
    fn to_json(&self) -> Option<Value> {
        match self {
            Patch::Keep => None,
            Patch::Clear => Some(Value::Null),
            Patch::Set(value) => value.to_json(),
        }
    }
}
