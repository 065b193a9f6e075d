// A JavaScript console: evaluates what it is sent as if it were typed in, with top-level await, and with declarations
// that stay and may be repeated. `require` resolves as in a file of the working directory.

const { Session } = require('node:inspector');
const { createRequire } = require('node:module');
const { join } = require('node:path');

globalThis.require = createRequire(join(process.cwd(), 'page.js'));
const session = new Session();
session.connect();

process.on('message', ({ code, end }) => {
  const options = { expression: code, replMode: true, awaitPromise: true };
  session.post('Runtime.evaluate', options, (error, result) => {
    const thrown = result?.exceptionDetails;
    const text = error?.message ?? (thrown && (thrown.exception?.description ?? thrown.text));
    process.send({ error: text }, () => process.stdout.write(`\n${end}\n`));
  });
});
