/**
 * Reads an event stream as the HTML standard defines it (§9.2.6), whatever the pieces in which it arrives.
 *
 * Calls `dispatch(type, data, id)` for each event, with a line feed before each line of the data. Throws when more than a
 * million characters are not yet an event; those of the feed have a tenth of it.
 */
export const eventReader = (id, dispatch) => {
  let rest = "";
  return (text) => {
    // A carriage return at the end may be half a line end.
    const events = (rest + text).replace(/\r\n|\r(?!$)/g, "\n").split("\n\n");
    rest = events.pop().slice(0, 1e6);
    for (const event of events) {
      let type = "";
      let data = "";
      for (const line of event.split("\n")) {
        const [field, value = ""] = line.split(/: ?(.*)/s);
        if (field === "event") type = value;
        if (field === "data") data += "\n" + value;
        if (field === "id" && !/\0/.test(value)) id = value;
      }
      if (data) dispatch(type, data, id);
    }
  };
};
