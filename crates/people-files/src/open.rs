//! Reading everything once, and handing it out in order.

use std::collections::{BTreeMap, VecDeque};

use crate::candidate::{Candidate, Line, Note, NoteCode, Part, Problem, RefusedRow, SkippedRow};
use crate::columns::Columns;
use crate::error::OpenError;
use crate::join::Joins;
use crate::mapping::Mapping;
use crate::options::Options;
use crate::order::{MAX_LEVEL, put_in_order};
use crate::person::{Read, Reader};
use crate::read::{Input, check_with, people_table};
use crate::spool::{Duplicate, OtherLine, Spool, number, read};

/// How many lines are fetched at once.
const PAGE: i64 = 200;

/// So many people with one hash have a password that somebody else has chosen for them.
const MANY: i64 = 3;

/// How many roles an error names.
const ROLES_SHOWN: usize = 20;

/// Lines of the input, the same ones in the same order each time: first rows that are no people, then people.
pub struct People {
    spool: Spool,
    input: String,
    page: VecDeque<Line>,
    others: u64,
    people: u64,
    /// Of others, then of people.
    last: i64,
    is_at_people: bool,
}

/// Reads the input into a temporary file. Each row is read, joined, converted and compared with the others; `progress`
/// hears how many were read so far.
///
/// # Errors
/// The input cannot be read, is something else than the mapping says, or has nobody in it.
pub fn open(
    input: &Input,
    mapping: &Mapping,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<People, OpenError> {
    check_with(input, mapping)?;
    check_secrets(mapping, options)?;
    let spool = Spool::new()?;
    let joins = Joins::new(mapping);
    let loaded = joins.load(input, mapping, &spool)?;
    let mut table = people_table(input, mapping)?;
    let mut columns = Columns::of(mapping, None, &*table, &loaded);
    if table.columns().is_some() {
        columns.check(&*table)?;
    }
    let mut reader = Reader::new(mapping, options, joins);
    let mut rows = 0;
    table.read(&mut |row, cells| {
        rows += 1;
        progress(rows);
        columns.see(cells.keys());
        let read = reader.read(row, &cells, &spool)?;
        keep(row, read, &spool)
    })?;
    let name = table.name();
    if rows == 0 {
        let what =
            "it has no rows. Is it the right file, and are the people in another one?".to_owned();
        return Err(OpenError::NoPeople { input: name, what });
    }
    columns.check(&*table)?;
    refuse_unmapped(&reader.unmapped)?;
    spool.find_shared_hashes(MANY)?;
    put_in_order(&spool)?;
    refuse_deep_chains(&spool)?;
    let (others, people) = (spool.count("others")?, spool.count("places")?);
    if people == 0 {
        return Err(nobody(name, &spool, others)?);
    }
    let input = format!("{name} ({})", table.form());
    Ok(People {
        spool,
        input,
        page: VecDeque::new(),
        others,
        people,
        last: 0,
        is_at_people: false,
    })
}

fn check_secrets(mapping: &Mapping, options: &Options) -> Result<(), OpenError> {
    let needed = mapping.peppers();
    match needed
        .iter()
        .find(|name| options.peppers.get(name).is_none())
    {
        Some(name) => Err(OpenError::MissingSecret {
            setting: name.as_str().to_uppercase(),
        }),
        None => Ok(()),
    }
}

fn keep(row: u64, read: Read, spool: &Spool) -> Result<(), OpenError> {
    match read {
        Read::Skipped {
            external_id,
            because,
        } => spool.add_other(&OtherLine::Skipped(SkippedRow {
            row,
            external_id,
            because,
        })),
        Read::Refused {
            external_id,
            problem,
        } => spool.add_other(&OtherLine::Refused(RefusedRow {
            row,
            external_id,
            problem,
        })),
        Read::Person(person) => match spool.add_person(&person)? {
            None => Ok(()),
            Some(duplicate) => {
                let external_id = person.external_id;
                let problem = duplicate_of(duplicate);
                spool.add_other(&OtherLine::Refused(RefusedRow {
                    row,
                    external_id,
                    problem,
                }))
            }
        },
    }
}

fn duplicate_of(duplicate: Duplicate) -> Problem {
    match duplicate {
        Duplicate::ExternalId(first) => Problem::new(
            "duplicate_external_id",
            format!("Row {first} has the same id."),
            "Remove one of the rows, or see `external_id` in [person] of the mapping.",
        ),
        Duplicate::Email(first) => Problem::new(
            "duplicate_email",
            format!("Row {first} has the same address."),
            "Nobody is merged: decide which of them is the person, and remove or change the other row.",
        ),
    }
}

fn refuse_unmapped(unmapped: &BTreeMap<String, (u64, u64)>) -> Result<(), OpenError> {
    if unmapped.is_empty() {
        return Ok(());
    }
    let shown = unmapped
        .iter()
        .take(ROLES_SHOWN)
        .map(|(role, (row, times))| match times {
            1 => format!("{role:?} (row {row})"),
            _ => format!("{role:?} (row {row} and {} more)", times - 1),
        });
    let mut roles: Vec<String> = shown.collect();
    if unmapped.len() > ROLES_SHOWN {
        roles.push(format!("and {} more", unmapped.len() - ROLES_SHOWN));
    }
    Err(OpenError::UnmappedRoles {
        roles: roles.join(", "),
    })
}

/// Whoever is too far down is refused, with everybody below.
fn refuse_deep_chains(spool: &Spool) -> Result<(), OpenError> {
    let database = &spool.connection;
    let mut deep = database.prepare("select candidate from people where level > ? order by row")?;
    let mut rows = deep.query([MAX_LEVEL])?;
    while let Some(row) = rows.next()? {
        let person: Candidate = read(&row.get::<_, String>(0)?)?;
        let problem = Problem::new(
            "manager_chain_too_long",
            format!("It is more than {MAX_LEVEL} managers below the top."),
            "Check the column of managers, or leave `manager` out of the mapping.",
        );
        spool.add_other(&OtherLine::Refused(RefusedRow {
            row: person.row,
            external_id: person.external_id,
            problem,
        }))?;
    }
    database.execute(
        "delete from places where row in (select row from people where level > ?)",
        [MAX_LEVEL],
    )?;
    Ok(())
}

/// Why none of the rows is a person.
fn nobody(input: String, spool: &Spool, others: u64) -> Result<OpenError, OpenError> {
    let first: String = spool.connection.query_row(
        "select line from others order by position limit 1",
        [],
        |row| row.get(0),
    )?;
    let why = match read(&first)? {
        OtherLine::Refused(RefusedRow { row, problem, .. }) => {
            format!("Row {row}: {} {}", problem.reason, problem.remedy)
        }
        OtherLine::Skipped(SkippedRow { row, because, .. }) => {
            format!("Row {row} is left out because of {because:?}, see `skip` in the mapping.")
        }
    };
    Ok(OpenError::NoPeople {
        input,
        what: format!("none of the {others} rows is taken. {why}"),
    })
}

impl People {
    /// Lines that follow.
    pub fn len(&self) -> u64 {
        self.others + self.people
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of all lines are people.
    pub fn people(&self) -> u64 {
        self.people
    }

    /// What was read, and what was found out about its form: `people.csv (CSV separated by `;`, utf-8)`.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Hands out all lines again, from the first one. The input is not read again.
    pub fn rewind(&mut self) {
        self.page.clear();
        self.last = 0;
        self.is_at_people = false;
    }

    fn fill(&mut self) -> Result<(), OpenError> {
        if !self.is_at_people {
            self.fill_with_others()?;
            if !self.page.is_empty() {
                return Ok(());
            }
            (self.is_at_people, self.last) = (true, 0);
        }
        self.fill_with_people()
    }

    fn fill_with_others(&mut self) -> Result<(), OpenError> {
        let query =
            "select position, line from others where position > ? order by position limit ?";
        let mut select = self.spool.connection.prepare_cached(query)?;
        let mut rows = select.query([self.last, PAGE])?;
        while let Some(row) = rows.next()? {
            self.last = row.get(0)?;
            self.page
                .push_back(read::<OtherLine>(&row.get::<_, String>(1)?)?.into());
        }
        Ok(())
    }

    fn fill_with_people(&mut self) -> Result<(), OpenError> {
        let mut select = self.spool.connection.prepare_cached(
            "select place, candidate, exists (select 1 from shared where shared.hash = people.hash)
             from places join people on people.row = places.row where place > ? order by place limit ?",
        )?;
        let mut cuts = self
            .spool
            .connection
            .prepare_cached("select membership from cuts where report = ?")?;
        let mut rows = select.query([self.last, PAGE])?;
        while let Some(row) = rows.next()? {
            self.last = row.get(0)?;
            let mut person: Candidate = read(&row.get::<_, String>(1)?)?;
            if row.get(2)? {
                person.password = Part::Refused(shared_password());
            }
            for cut in cuts.query_map([number(person.row)], |row| row.get::<_, i64>(0))? {
                leave_manager_out(&mut person, cut?);
            }
            self.page.push_back(Line::Person(Box::new(person)));
        }
        Ok(())
    }
}

fn shared_password() -> Problem {
    Problem::new(
        "password_shared",
        "Others have exactly the same hash, so it was copied: perhaps a default password.",
        "Let these people set a new password.",
    )
}

fn leave_manager_out(person: &mut Candidate, membership: i64) {
    let membership = usize::try_from(membership)
        .ok()
        .and_then(|at| person.memberships.get_mut(at));
    if let Some(manager) = membership.and_then(|membership| membership.manager.take()) {
        person.notes.push(Note {
            code: NoteCode::ManagerCircle,
            text: format!(
                "The manager {:?} is left out: their managers lead back here.",
                manager.value
            ),
        });
    }
}

impl Iterator for People {
    /// Errors are those of the temporary file.
    type Item = Result<Line, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }
}
