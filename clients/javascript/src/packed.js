import { revocations } from "./list.js";

/** Described in index.d.ts. */
export const packed = async (ask) => {
  const bytes = await (await ask("application/octet-stream", 60_000)).arrayBuffer();
  const end = new Uint8Array(bytes).indexOf(10);
  const { cursor, sids, others } = JSON.parse(new TextDecoder().decode(bytes.slice(0, end)));
  const list = revocations(new BigUint64Array(bytes.slice(end + 1), 0, sids).sort());
  list.add(others);
  return [list, cursor];
};
