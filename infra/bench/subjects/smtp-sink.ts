/** A mail server that takes every mail and keeps none. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { serveSubject } from "../src/subject-program.ts";

serveSubject({
  listen: async () => {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      disableReverseLookup: true,
      onData(stream, _session, done) {
        stream.resume().on("end", () => done(null, "2.0.0 Ok: queued"));
      },
    });
    server.on("error", () => {}); // a connection that a side closed
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.server.once("listening", resolve));
    return { port: (server.server.address() as AddressInfo).port };
  },
});
