//! Reads the people of a plan.

use std::sync::mpsc;

use chrono::{DateTime, Utc};
use people_files::{Input, Line, Mapping, Options, People};
use stored_passwords::Peppers;
use tokio::sync::oneshot;

use super::plan::Plan;
use super::progress::bar;
use crate::app::App;
use crate::cli::Failure;
use crate::service::operations::import::Facts;

/// Lines that are handed out at once, and how often ahead.
const CHUNK: usize = 250;
const AHEAD: usize = 2;

/// What people are read from, and how.
pub(super) struct Source {
    plan: Plan,
    mapping: Mapping,
    options: Options,
}

impl Source {
    pub(super) fn new(plan: &Plan, peppers: Peppers, now: DateTime<Utc>) -> Result<Self, Failure> {
        let mapping = plan.mapping()?;
        let options = Options {
            peppers,
            slack_team: plan.slack_team.clone(),
            trust_emails: plan.trust_emails,
            ..Options::at(now)
        };
        Ok(Self {
            plan: plan.clone(),
            mapping,
            options,
        })
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Reads everything, on a thread of its own, which then hands out the lines.
    ///
    /// # Errors
    /// The first row that is wrong, or what else is.
    pub(super) async fn read(&self) -> Result<Reading, Failure> {
        let (plan, mapping, options) = (
            self.plan.clone(),
            self.mapping.clone(),
            self.options.clone(),
        );
        let (tell, told) = oneshot::channel();
        let (send, lines) = mpsc::sync_channel(AHEAD);
        std::thread::spawn(move || {
            let opened = open(&plan, &mapping, &options);
            let (people, facts) = match opened {
                Ok(opened) => opened,
                Err(failure) => {
                    let _ = tell.send(Err(failure));
                    return;
                }
            };
            let about = (people.input().to_owned(), people.len(), facts);
            if tell.send(Ok(about)).is_ok() {
                hand_out(people, plan.limit, &send);
            }
        });
        let told = told
            .await
            .map_err(|_| Failure::Failed("reading failed".to_owned()))?;
        let (input, len, facts) = told?;
        Ok(Reading {
            input,
            len,
            facts,
            lines: lines.into_iter().flatten(),
        })
    }
}

/// People that were read.
pub(super) struct Reading {
    /// What was read, and in which form it is.
    pub input: String,
    /// How many lines there are.
    pub len: u64,
    pub facts: Facts,
    pub lines: std::iter::Flatten<mpsc::IntoIter<Vec<ReadLine>>>,
}

type ReadLine = Result<Line, String>;

/// # Errors
/// What is wrong with the source.
fn open(plan: &Plan, mapping: &Mapping, options: &Options) -> Result<(People, Facts), Failure> {
    let bar = bar(None, "reading");
    let mut progress = |rows| bar.set_position(rows);
    let opened = people_files::open(&input(plan)?, mapping, options, &mut progress);
    bar.finish_and_clear();
    let mut people = opened.map_err(|error| Failure::InvalidInput(error.to_string()))?;
    let mut facts = Facts::default();
    let creates = |it: &people_files::mapping::Membership| it.organization.create;
    if mapping.membership.as_ref().is_some_and(creates) {
        for line in &mut people {
            match line.map_err(|error| Failure::Failed(error.to_string()))? {
                Line::Person(candidate) => facts.add(&candidate),
                Line::Refused(_) | Line::Skipped(_) => {}
            }
        }
        people.rewind();
    }
    Ok((people, facts))
}

/// Hands out the lines of at most `limit` people, until nobody takes them any more.
fn hand_out(people: People, limit: Option<u64>, send: &mpsc::SyncSender<Vec<ReadLine>>) {
    let mut left = limit.unwrap_or(u64::MAX);
    let mut chunk = Vec::with_capacity(CHUNK);
    for line in people {
        if let Ok(Line::Person(_)) = line {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        chunk.push(line.map_err(|error| error.to_string()));
        if chunk.len() == CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            if send.send(full).is_err() {
                return;
            }
        }
    }
    let _ = send.send(chunk);
}

/// # Errors
/// If there is no place to read from, or the database does not let us in.
fn input(plan: &Plan) -> Result<Input, Failure> {
    let mut input = match (&plan.url, &plan.file) {
        (Some(url), _) => Input::postgres(url, App::foreign_tls()?)
            .map_err(|error| Failure::InvalidInput(error.to_string()))?,
        (None, Some(file)) => Input::file(file),
        (None, None) => {
            return Err(Failure::InvalidInput(
                "the people came from a database, whose URL is not stored: name it again, as in `hallpass import \
                 resume RUN postgres://…`"
                    .to_owned(),
            ));
        }
    };
    for (name, path) in &plan.with {
        input = input.with(name, path);
    }
    Ok(input)
}
