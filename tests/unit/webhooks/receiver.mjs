// A receiver in JavaScript that, like GrowSurf's own verifier, hashes what it has parsed and
// written again. Reads one JSON object a line and answers one a line.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createInterface } from "node:readline";

const rewritten = (body) => JSON.stringify(JSON.parse(body));

function verifies(header, secret, body) {
  const [timestamp, signature] = header.split(",").map((part) => part.split("=")[1]);
  const expected = createHmac("sha256", secret).update(`${timestamp}.${rewritten(body)}`).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { header, secret, body } = JSON.parse(line);
  const text = Buffer.from(body, "base64").toString("utf8");
  const answer = header === undefined ? rewritten(text) : verifies(header, secret, text);
  process.stdout.write(JSON.stringify({ answer }) + "\n");
}
