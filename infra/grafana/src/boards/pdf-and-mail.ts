import type { Board } from "../board.ts";
import { figure, graph, timeline } from "../panels.ts";

const quantilesOf = (queue: string) =>
  [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(ballast_attempt_duration_seconds_bucket{queue="${queue}"}[$__rate_interval])))`,
    legend: `${quantile * 100} of 100`,
  }));

export const pdfAndMail: Board = {
  uid: "ballast-pdf-and-mail",
  title: "Ballast: PDF and mail",
  says: "Browsers that print, and the mail server that takes what they printed.",
  rows: [
    {
      title: "PDF",
      panels: [
        figure({
          title: "Pages open",
          says: "Browser pages that are rendering now, of all replicas.",
          width: 6,
          query: "sum(ballast_pdf_pages_open)",
        }),
        figure({
          title: "Pages printed in an hour",
          says: "Of the documents rendered by all replicas.",
          width: 6,
          query: "sum(increase(ballast_pdf_rendered_pages_total[1h]))",
        }),
        figure({
          title: "Browsers that crashed in an hour",
          says: "Or used too much memory for one document; a browser replaced in time is not counted.",
          width: 6,
          query:
            'sum(increase(ballast_pdf_browser_restarts_total{reason=~"crash|print-memory"}[1h])) or on () 0 * max(up{job="ballast", app="pdf-worker"} == 1)',
          warnAt: 1,
          badAt: 5,
        }),
        figure({
          title: "Requests refused in an hour",
          says: "A document tried to load something: somebody wrote markup where a name belongs.",
          width: 6,
          query:
            'sum(increase(ballast_pdf_refused_requests_total[1h])) or on () 0 * max(up{job="ballast", app="pdf-worker"} == 1)',
          warnAt: 1,
        }),
        graph({
          title: "Time to render",
          says: "Of an attempt on the queue pdf.",
          width: 8,
          unit: "s",
          queries: quantilesOf("pdf"),
        }),
        graph({
          title: "Pages printed",
          says: "Of the documents rendered, by replica.",
          width: 8,
          unit: "ops",
          queries: [
            {
              expr: "sum by (instance) (rate(ballast_pdf_rendered_pages_total[$__rate_interval]))",
              legend: "{{instance}}",
            },
          ],
        }),
        graph({
          title: "Browsers replaced",
          says: "By reason, in 15 minutes. Most are planned: after so many pages, or for the memory they keep.",
          width: 8,
          queries: [
            {
              expr: "sum by (reason) (increase(ballast_pdf_browser_restarts_total[15m]))",
              legend: "{{reason}}",
            },
          ],
        }),
      ],
    },
    {
      title: "Mail",
      panels: [
        figure({
          title: "Mails accepted in an hour",
          says: "By the mail server, for all replicas.",
          width: 6,
          query: 'sum(increase(ballast_mails_total{result="accepted"}[1h]))',
        }),
        figure({
          title: "Outcome unknown in an hour",
          says: "The connection broke after the message was sent: a person decides, for it is never silently sent twice.",
          width: 6,
          query:
            'sum(increase(ballast_mails_total{result="unknown"}[1h])) or on () 0 * max(up{job="ballast", app="email-worker"} == 1)',
          warnAt: 1,
        }),
        figure({
          title: "Connections",
          says: "To the mail server, of all replicas.",
          width: 6,
          query: "sum(ballast_smtp_connections)",
        }),
        figure({
          title: "Reminders late",
          says: "For how long the payment reminder that waits longest should have begun.",
          width: 6,
          unit: "s",
          query: "max by () (ballast_reminder_overdue_age_seconds)",
          warnAt: 300,
          badAt: 900,
        }),
        graph({
          title: "Mails by answer",
          says: "Of the mail server, or what came instead of one.",
          width: 8,
          unit: "ops",
          queries: [
            {
              expr: "sum by (result) (rate(ballast_mails_total[$__rate_interval]))",
              legend: "{{result}}",
            },
          ],
        }),
        graph({
          title: "Time to send",
          says: "Of an attempt on the queue email.",
          width: 8,
          unit: "s",
          queries: quantilesOf("email"),
        }),
        graph({
          title: "Connections by state",
          says: "To the mail server, of all replicas.",
          width: 8,
          queries: [{ expr: "sum by (state) (ballast_smtp_connections)", legend: "{{state}}" }],
        }),
      ],
    },
    {
      title: "What both lean on",
      panels: [
        timeline({
          title: "Gates of mail servers, stores and others",
          says: "A closed one is not called, and costs no attempts.",
          width: 12,
          query: {
            expr: 'max by (kind, key) (ballast_gate_closed{kind!="marketplace"})',
            legend: "{{kind}} {{key}}",
          },
          good: "open",
          bad: "closed",
        }),
        graph({
          title: "Errors by code",
          says: "Of the queues pdf and email.",
          width: 12,
          unit: "ops",
          queries: [
            {
              expr: 'sum by (queue, code) (rate(ballast_errors_total{queue=~"pdf|email"}[$__rate_interval]))',
              legend: "{{queue}} {{code}}",
            },
          ],
        }),
      ],
    },
  ],
};
