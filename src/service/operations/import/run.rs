//! A run, from its first batch to its end, beside servers that serve.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use people_files::Line;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::batch::Writer;
use super::facts::Facts;
use super::newcomer::Newcomer;
use super::pace::Pace;
use super::report::{Outcome, Reason, RowReport, Summary};
use crate::domain::import::{Counts, ImportRefusal, ImportRun, ImportState, OnConflict};
use crate::domain::{ImportId, OrganizationId};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::imports::{self, NewImport};
use crate::store::{Requester, StoreError, Unique};

/// The most people of one transaction.
pub const BATCH: usize = 500;

/// Batches that are read ahead.
const READ_AHEAD: usize = 2;

/// A process that has written nothing for so long was killed.
const SILENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How often a batch is tried while the database does not answer.
const TRIES: u32 = 60;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What is imported, and how.
#[derive(Clone)]
pub struct ImportSettings {
    /// The namespace of the external ids.
    pub source: String,
    pub on_conflict: OnConflict,
    /// The only organization whose people are imported, if there is one.
    pub only: Option<OrganizationId>,
}

/// The lines of a source, or why one of them cannot be read.
pub trait Lines: Iterator<Item = std::result::Result<Line, String>> + Send + 'static {}

impl<T: Iterator<Item = std::result::Result<Line, String>> + Send + 'static> Lines for T {}

/// The right to write a run, until another process takes it over.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub id: ImportId,
    holder: ImportId,
}

impl Held {
    /// Whether no other process has taken it over; says that this one is alive.
    pub(super) fn is_held(self, unit: &mut UnitOfWork<'_, '_>) -> Result<bool> {
        self.advance(unit, Counts::default())
    }

    fn advance(self, unit: &mut UnitOfWork<'_, '_>, more: Counts) -> Result<bool> {
        let held = imports::advance(unit.tx, self.id, self.holder, more, unit.now)?;
        Ok(held)
    }

    pub(super) async fn end(
        self,
        services: &Services,
        context: &RequestContext,
        state: ImportState,
    ) -> Result<()> {
        services
            .operate(context, move |unit| {
                imports::end(unit.tx, self.id, self.holder, state, unit.now)?;
                unit.unrecorded(())
            })
            .await
    }
}

/// Begins a run. `options` is what it needs to go on, as JSON.
///
/// # Errors
/// `Import(Running)` while another one runs, `Import(Killed)` after one that has not ended.
pub async fn begin_import(
    services: &Services,
    context: &RequestContext,
    source: &str,
    options: String,
) -> Result<Held> {
    let now = services.now();
    let held = Held {
        id: ImportId::new(now, services.random()),
        holder: ImportId::new(now, services.random()),
    };
    let source = source.to_owned();
    services
        .operate(context, move |unit| {
            if let Some(run) = imports::find_running(unit.tx)? {
                return Err(in_the_way(&run, unit.now).into());
            }
            let new = NewImport {
                id: held.id,
                source: &source,
                options: &options,
                holder: held.holder,
            };
            imports::insert(unit.tx, &new, ImportState::Running, unit.now)
                .map_err(|error| at_once(error, held.id))?;
            unit.unrecorded(held)
        })
        .await
}

/// What a run is taken over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    Resume,
    Undo,
}

/// Takes over a run that no process writes any more.
///
/// # Errors
/// `Import(Unknown)`; `Import(Over)` and `Import(Undone)` if there is nothing to do; `Import(Running)` while a process
/// writes it, or another run.
pub async fn take_over_import(
    services: &Services,
    context: &RequestContext,
    id: ImportId,
    purpose: TakeOver,
) -> Result<(Held, ImportRun)> {
    let run = silent(services, id).await?;
    match (run.state, purpose) {
        (ImportState::Undone, TakeOver::Undo) => return Err(ImportRefusal::Undone { id }.into()),
        (state @ (ImportState::Finished | ImportState::Undone), TakeOver::Resume) => {
            return Err(ImportRefusal::Over { id, state }.into());
        }
        (ImportState::Running | ImportState::Stopped | ImportState::Finished, _) => {}
    }
    let holder = ImportId::new(services.now(), services.random());
    services
        .operate(context, move |unit| {
            if let Some(other) = imports::find_running(unit.tx)?.filter(|it| it.id != id) {
                return Err(in_the_way(&other, unit.now).into());
            }
            imports::take(unit.tx, id, holder, unit.now).map_err(|error| at_once(error, id))?;
            unit.unrecorded((Held { id, holder }, run))
        })
        .await
}

/// The run, once it is sure that no process writes it.
async fn silent(services: &Services, id: ImportId) -> Result<ImportRun> {
    let first = find_import(services, id).await?;
    let mut run = first.clone();
    while run.state == ImportState::Running && !is_silent(&run, services.now()) {
        sleep(LOOK_AGAIN_AFTER).await;
        run = find_import(services, id).await?;
        if run.seen_at > first.seen_at {
            return Err(in_the_way(&run, services.now()).into());
        }
    }
    Ok(run)
}

/// The run with this id.
///
/// # Errors
/// `Import(Unknown)`.
pub async fn find_import(services: &Services, id: ImportId) -> Result<ImportRun> {
    let found = services
        .store
        .read(Requester::OPERATOR, move |tx| imports::find(tx, id))
        .await?;
    found.ok_or_else(|| ImportRefusal::Unknown { id }.into())
}

/// All runs, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_imports(services: &Services) -> Result<Vec<ImportRun>> {
    let list = services.store.read(Requester::OPERATOR, imports::list);
    Ok(list.await?)
}

/// Whether the process that wrote it was killed, if it has not ended.
fn is_silent(run: &ImportRun, now: DateTime<Utc>) -> bool {
    now - run.seen_at > TimeDelta::from_std(SILENCE).unwrap_or_default()
}

fn in_the_way(run: &ImportRun, now: DateTime<Utc>) -> ImportRefusal {
    let id = run.id;
    if is_silent(run, now) {
        return ImportRefusal::Killed { id };
    }
    let seconds = (now - run.seen_at).num_seconds();
    ImportRefusal::Running { id, seconds }
}

/// Another run has begun at the same moment.
fn at_once(error: StoreError, id: ImportId) -> Error {
    match error {
        StoreError::Taken(Unique::RunningImport) => {
            ImportRefusal::Running { id, seconds: 0 }.into()
        }
        other => other.into(),
    }
}

/// How a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Finished,
    /// It was told to, after the batch that was being written.
    Stopped,
}

/// Is told what came of each batch: the reports of its rows.
pub type Observe<'a> = &'a mut (dyn FnMut(&[RowReport]) -> Result<(), String> + Send);

/// Writes all people after the first `done` lines, in batches of one transaction each.
///
/// # Errors
/// `Import(Conflict)`, `Import(TakenOver)`; when the database fails for a minute. What is written stays.
pub async fn import(
    services: &Services,
    context: &RequestContext,
    held: Held,
    settings: &ImportSettings,
    facts: Facts,
    (lines, done): (impl Lines, u64),
    (stop, observe): (&AtomicBool, Observe<'_>),
) -> Result<(Summary, Ending)> {
    let mut batches = read_ahead(lines, done, services.now());
    let writer = Arc::new(Mutex::new(writer(services, held.id, settings, facts)));
    let mut summary = Summary::default();
    let mut pace = Pace::default();
    let mut ending = Ending::Finished;
    'all: while let Some(batch) = batches.recv().await {
        let batch = match batch {
            Ok(batch) => batch,
            Err(why) => {
                held.end(services, context, ImportState::Stopped).await?;
                return Err(Error::Unavailable(why));
            }
        };
        let mut left = batch.as_slice();
        while !left.is_empty() {
            let (part, rest) = left.split_at(pace.size(BATCH).min(left.len()));
            left = rest;
            if stop.load(Ordering::Acquire) {
                ending = Ending::Stopped;
                break 'all;
            }
            let begun = Instant::now();
            let wrote = write(services, context, held, &writer, part).await;
            let (reports, others) = match wrote {
                Ok(written) => written,
                Err(error) => {
                    // Whatever was wrong, the run can be resumed.
                    let _ = held.end(services, context, ImportState::Stopped).await;
                    return Err(error);
                }
            };
            reports.iter().for_each(|report| summary.add(report));
            if let Err(why) = observe(&reports) {
                let _ = held.end(services, context, ImportState::Stopped).await;
                return Err(Error::Unavailable(why));
            }
            sleep(pace.pause(begun.elapsed(), others)).await;
        }
    }
    let state = match ending {
        Ending::Finished => ImportState::Finished,
        Ending::Stopped => ImportState::Stopped,
    };
    held.end(services, context, state).await?;
    summary.organizations = lock(&writer).organizations.created();
    Ok((summary, ending))
}

/// The same without an effect: all batches in one transaction, which is rolled back.
///
/// # Errors
/// As [`import`].
pub async fn rehearse_import(
    services: &Services,
    context: &RequestContext,
    settings: &ImportSettings,
    facts: Facts,
    lines: impl Lines,
    mut observe: impl FnMut(&[RowReport]) -> Result<(), String> + Send + 'static,
) -> Result<Summary> {
    let mut batches = read_ahead(lines, 0, services.now());
    let id = ImportId::new(services.now(), services.random());
    let mut writer = writer(services, id, settings, facts);
    let source = settings.source.clone();
    services
        .rehearse(context, move |unit| {
            let new = NewImport {
                id,
                source: &source,
                options: "{}",
                holder: id,
            };
            imports::insert(unit.tx, &new, ImportState::Stopped, unit.now)?;
            let mut summary = Summary::default();
            while let Some(batch) = batches.blocking_recv() {
                let batch = batch.map_err(Error::Unavailable)?;
                let reports = write_batch(unit, &mut writer, batch)?;
                reports.iter().for_each(|report| summary.add(report));
                observe(&reports).map_err(Error::Unavailable)?;
            }
            summary.organizations = writer.organizations.created();
            Ok(summary)
        })
        .await
}

fn writer(services: &Services, id: ImportId, settings: &ImportSettings, facts: Facts) -> Writer {
    Writer::new(
        (id, settings.source.clone()),
        settings.on_conflict,
        settings.only,
        facts,
        services.default_join_policy,
    )
}

fn lock(writer: &Mutex<Writer>) -> std::sync::MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line that was read and checked.
#[derive(Clone)]
enum Item {
    Person(Box<Newcomer>),
    Other(RowReport),
}

/// Reads and checks lines on a thread of its own, while others are written.
fn read_ahead(
    lines: impl Lines,
    done: u64,
    now: DateTime<Utc>,
) -> mpsc::Receiver<std::result::Result<Vec<Item>, String>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    std::thread::spawn(move || {
        let mut batch = Vec::with_capacity(BATCH);
        for line in lines.skip(usize::try_from(done).unwrap_or(usize::MAX)) {
            let line = match line {
                Ok(line) => line,
                Err(why) => {
                    let _ = sender.blocking_send(Err(why));
                    return;
                }
            };
            batch.push(item(line, now));
            if batch.len() == BATCH {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                // Nobody waits for it any more.
                if sender.blocking_send(Ok(full)).is_err() {
                    return;
                }
            }
        }
        if !batch.is_empty() {
            let _ = sender.blocking_send(Ok(batch));
        }
    });
    receiver
}

fn item(line: Line, now: DateTime<Utc>) -> Item {
    match line {
        Line::Person(candidate) => {
            let (row, id) = (candidate.row, candidate.external_id.clone());
            match Newcomer::check(*candidate, now) {
                Ok(newcomer) => Item::Person(Box::new(newcomer)),
                Err(reason) => Item::Other(RowReport::refused(row, id, reason)),
            }
        }
        Line::Refused(refused) => {
            let (row, id) = (refused.row, refused.external_id);
            Item::Other(RowReport::refused(row, id, refused.problem.into()))
        }
        Line::Skipped(skipped) => {
            let reasons = vec![Reason::skipped(&skipped.because)];
            let (row, id) = (skipped.row, skipped.external_id);
            Item::Other(RowReport::new(row, id, None, Outcome::Skipped, reasons))
        }
    }
}

/// Writes a batch, and tries again while the database does not answer, or when somebody has registered with an address
/// meanwhile.
async fn write(
    services: &Services,
    context: &RequestContext,
    held: Held,
    writer: &Arc<Mutex<Writer>>,
    batch: &[Item],
) -> Result<(Vec<RowReport>, Option<i64>)> {
    let mut tries = 1;
    loop {
        let (shared, batch) = (Arc::clone(writer), batch.to_vec());
        let written = services
            .operate(context, move |unit| {
                let mut writer = lock(&shared);
                let reports = write_batch(unit, &mut writer, batch)?;
                let mut counts = Counts::default();
                for report in &reports {
                    counts += report.counts();
                }
                if !held.advance(unit, counts)? {
                    return Err(ImportRefusal::TakenOver { id: held.id }.into());
                }
                let others = imports::writes_of_others(unit.tx)?;
                unit.recorded_if_changed((reports, others))
            })
            .await;
        match written {
            Err(Error::Busy(_) | Error::Unavailable(_) | Error::EmailTaken) if tries < TRIES => {
                lock(writer).organizations.forget();
                tries += 1;
                sleep(TRY_AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

fn write_batch(
    unit: &mut UnitOfWork<'_, '_>,
    writer: &mut Writer,
    batch: Vec<Item>,
) -> Result<Vec<RowReport>> {
    let mut reports = Vec::with_capacity(batch.len());
    let mut people = Vec::with_capacity(batch.len());
    for item in batch {
        match item {
            Item::Person(newcomer) => people.push(*newcomer),
            Item::Other(report) => reports.push(report),
        }
    }
    if !people.is_empty() {
        reports.extend(writer.write(unit, people)?);
    }
    Ok(reports)
}
