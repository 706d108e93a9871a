//! What the document promises of answers, held in builds with debug assertions: an answer that does not fit is a fault.
//!
//! Every test and every story runs with it, so a `null`, an undocumented status or a missing member shows at once, in
//! whatever request first meets it. Release builds skip it.

use std::collections::BTreeMap;

use jsonschema::Validator;
use poem::{Response, http::StatusCode};

use super::Operation;
use crate::problem::{Answer, Code, INTERNAL, Problem};

/// The documented statuses, each with the shape of its body where that is JSON.
pub(crate) type Promises = BTreeMap<u16, Option<Validator>>;

/// The answer itself, or a fault that says how it breaks the promise.
pub(crate) async fn hold(operation: &Operation, answer: Answer<Response>) -> Answer<Response> {
    let status = match &answer {
        Ok(response) => response.status(),
        Err(problem) => problem.code.status(),
    };
    let Some(shape) = operation.promises.get(&status.as_u16()) else {
        let before = answer.err().and_then(|problem| problem.log).unwrap_or_default();
        return Err(broken(operation, status, &format!("the status is not documented; {before}")));
    };
    match (answer, shape) {
        (Ok(response), Some(shape)) => fits(operation, shape, response).await,
        (answer, _) => answer,
    }
}

async fn fits(operation: &Operation, shape: &Validator, mut response: Response) -> Answer<Response> {
    let status = response.status();
    let read = response.take_body().into_vec().await.map_err(|error| broken(operation, status, &error.to_string()))?;
    let value = serde_json::from_slice(&read).map_err(|error| broken(operation, status, &error.to_string()))?;
    let faults: Vec<String> =
        shape.iter_errors(&value).map(|error| format!("{}: {}", error.instance_path(), error.masked())).collect();
    if !faults.is_empty() {
        return Err(broken(operation, status, &faults.join("; ")));
    }
    response.set_body(read);
    Ok(response)
}

fn broken(operation: &Operation, status: StatusCode, why: &str) -> Problem {
    let log = format!("{} answered {status} against its document: {why}", operation.id);
    Problem::new(Code::InternalError, INTERNAL).because(log)
}
