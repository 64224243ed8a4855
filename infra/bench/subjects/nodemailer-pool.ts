/** Nodemailer's pool as its documentation shows it: a mail, its PDF attached from where it stands. */
import nodemailer, { type Transporter } from "nodemailer";
import { atATime, measured, serveSubject } from "../src/subject-program.ts";

let pool: Transporter | undefined;

serveSubject({
  open: async ({ port, connections }: { port: number; connections: number }) => {
    pool = nodemailer.createTransport({
      pool: true,
      host: "127.0.0.1",
      port,
      maxConnections: connections,
      maxMessages: 100,
      ignoreTLS: true,
    });
    return {};
  },
  send: async ({ pdfPath, count, width }: { pdfPath: string; count: number; width: number }) => {
    if (pool === undefined) throw new Error("ask to open it first");
    const { sendMail } = pool;
    const send = sendMail.bind(pool);
    return await measured(count, () =>
      atATime(width, count, (n) =>
        send({
          from: { name: "Werft & Söhne", address: "rechnung@werft.example" },
          to: "eingang@kundin.example",
          subject: `Rechnung BENCH-${n}`,
          text: `Guten Tag,\n\nanbei erhalten Sie die Rechnung BENCH-${n}.\n`,
          html: `<p>Guten Tag,</p><p>anbei erhalten Sie die Rechnung <b>BENCH-${n}</b>.</p>`,
          attachments: [{ filename: `BENCH-${n}.pdf`, path: pdfPath }],
        }),
      ),
    );
  },
});
