// Reads [{secret, headers, body}, …] and writes whether npm's standardwebhooks accepts each.
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const accepts = ({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(accepts)));
