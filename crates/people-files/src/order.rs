//! Managers before their reports: who has a place once all their managers have one. Circles are cut.

use rusqlite::params;

use crate::error::OpenError;
use crate::spool::Spool;

/// Levels below somebody without a manager. Reporting lines grow with the square of a chain's length.
pub(crate) const MAX_LEVEL: i64 = 64;

/// Gives each person a level, and fills the tables `places` and `cuts`.
pub(crate) fn put_in_order(spool: &Spool) -> Result<(), OpenError> {
    let database = &spool.connection;
    database.execute_batch(
        "insert into links
             select report, membership, ids.row from wishes join ids on external_id = value where by_id
             union all
             select report, membership, emails.row from wishes join emails on email = value where not by_id;
         drop table wishes;
         create index links_by_manager on links (manager);
         create index links_by_report on links (report);
         update people set waiting = (select count(*) from links where report = people.row)
             where row in (select report from links);
         create index people_who_can_be_placed on people (row) where level is null and waiting = 0;",
    )?;
    loop {
        place_who_wait_for_nobody(spool)?;
        match spool
            .connection
            .query_row("select min(level) from frontier", [], |row| row.get(0))?
        {
            Some(level) => free_reports(spool, level)?,
            None if !cut_circle(spool)? => break,
            None => {}
        }
    }
    database.execute_batch(
        "insert into places (row)
             select row from people order by level, uuid is null, uuid, created is null, created, row;",
    )?;
    Ok(())
}

fn place_who_wait_for_nobody(spool: &Spool) -> Result<(), OpenError> {
    for query in [
        "insert into frontier select lowest, row from people where level is null and waiting = 0",
        "update people set level = lowest where level is null and waiting = 0",
    ] {
        spool.connection.prepare_cached(query)?.execute([])?;
    }
    Ok(())
}

/// Reports of the people of this level in the frontier no longer wait for them.
fn free_reports(spool: &Spool, level: i64) -> Result<(), OpenError> {
    for query in [
        "update people set waiting = waiting - freed.managers, lowest = max(lowest, ?1 + 1)
             from (select report, count(*) as managers from frontier join links on manager = row
                   where level = ?1 group by report) as freed
             where people.row = freed.report",
        "delete from frontier where level = ?1",
    ] {
        spool.connection.prepare_cached(query)?.execute([level])?;
    }
    Ok(())
}

/// Whoever has no place waits for somebody without one: going up leads into a circle. Its first row loses its manager.
/// `false` if everybody has a place.
fn cut_circle(spool: &Spool) -> Result<bool, OpenError> {
    let database = &spool.connection;
    let query = "select min(row) from people where level is null";
    let Some(start) = database.query_row(query, [], |row| row.get::<_, Option<i64>>(0))? else {
        return Ok(false);
    };
    let mut up = database.prepare_cached(
        "select manager, membership from links join people on people.row = manager
         where report = ? and level is null order by membership limit 1",
    )?;
    let mut step = |row: i64| -> Result<(i64, i64), OpenError> {
        Ok(up.query_row([row], |link| Ok((link.get(0)?, link.get(1)?)))?)
    };
    // Two who go up, one twice as fast, meet within the circle, without remembering where they have been.
    let mut slow = step(start)?.0;
    let mut fast = step(slow)?.0;
    while slow != fast {
        slow = step(slow)?.0;
        fast = step(fast)?.0;
        fast = step(fast)?.0;
    }
    let mut first = slow;
    let mut next = step(slow)?.0;
    while next != slow {
        first = first.min(next);
        next = step(next)?.0;
    }
    let link = params![first, step(first)?.1];
    for query in [
        "insert into cuts values (?, ?)",
        "delete from links where report = ? and membership = ?",
    ] {
        database.prepare_cached(query)?.execute(link)?;
    }
    database
        .prepare_cached("update people set waiting = waiting - 1 where row = ?")?
        .execute([first])?;
    Ok(true)
}
