/** The last eight bytes of a session's id, which are random: they stand for it. */
const mark = (sid) => BigInt("0x" + sid.slice(19).replace(/-/g, ""));

/** What is revoked or outdated. Sessions take eight bytes each, sorted, except for those that came last. */
export const revocations = (marks = new BigUint64Array()) => {
  const recent = new Set();
  const vers = new Map();
  const pvs = new Map();

  return {
    /** Takes entries of the feed; unknown ones are ignored. */
    add(entries) {
      for (const { sid, sub, ver, pv } of entries) {
        if (sid) recent.add(mark(sid));
        if (ver > (vers.get(sub) ?? -1)) vers.set(sub, ver);
        if (pv > (pvs.get(sub) ?? -1)) pvs.set(sub, pv);
      }
      // So seldom that a million that come one by one are sorted some thirty times.
      if (recent.size > 4096 + marks.length / 8) {
        marks = new BigUint64Array([...marks, ...recent]).sort();
        recent.clear();
      }
    },

    /** `revoked`, `outdated`, or nothing. */
    judge(claims) {
      const wanted = mark(claims.sid);
      let low = 0;
      let high = marks.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (marks[middle] < wanted) low = middle + 1;
        else high = middle;
      }
      const isRevoked = marks[low] === wanted || recent.has(wanted) || claims.ver < vers.get(claims.sub);
      return isRevoked ? "revoked" : claims.pv < pvs.get(claims.sub) && "outdated";
    },
  };
};
