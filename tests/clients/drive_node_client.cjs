// SPDX-License-Identifier: Apache-2.0
// Drives SendPulse's Node client: a call as JSON in each line of the input, its answer in each line of the output.
// The client knows one address only, by https, so its requests are turned to the one given here.
"use strict";

const http = require("node:http");
const https = require("node:https");
const readline = require("node:readline");

const [url, modules] = process.argv.slice(2);
const { hostname, port } = new URL(url);
https.request = (options, answered) => http.request({ ...options, hostname, port }, answered);

const client = require(require.resolve("sendpulse-api", { paths: [modules] }));

function answerOf({ method, given }) {
  // What a caller leaves out comes as null.
  const values = given.map((value) => value ?? undefined);
  return new Promise((answered) => {
    if (method === "methods") answered(Object.keys(client));
    else if (method === "init") client.init(...values, answered);
    else if (method === "sendRequest") client.sendRequest(...values, answered);
    else client[method](answered, ...values);
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answerOf(JSON.parse(line))));
  }
  process.exit();
})();
