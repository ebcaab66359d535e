import { createTransport } from 'nodemailer';
import { DeliveryError, type Channel } from './channel.ts';

const LIMIT_MS = 10_000;

export type MailSettings = { smtpUrl: string; from: string; to: string };

/** Mail over the operator's own server. User and password of the address stand in no error. */
export function mailChannel({ smtpUrl, from, to }: MailSettings): Channel {
  const transport = createTransport(
    {
      url: smtpUrl,
      connectionTimeout: LIMIT_MS,
      greetingTimeout: LIMIT_MS,
      socketTimeout: LIMIT_MS,
      dnsTimeout: LIMIT_MS,
    },
    { from },
  );
  return {
    name: 'mail',
    close: () => transport.close(),
    send: async ({ subject, text }) => {
      try {
        await transport.sendMail({
          to,
          subject,
          text,
          headers: {
            // RFC 3834: no answer of an absent person is wanted.
            'Auto-Submitted': 'auto-generated',
          },
        });
      } catch (thrown) {
        throw new DeliveryError(`the mail server did not take the mail (${kindOf(thrown)})`);
      }
    },
  };
}

/** Code of nodemailer, and of SMTP (RFC 5321); the server's own words may quote addresses. */
function kindOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown';
  const code = 'code' in thrown ? String(thrown.code) : thrown.name;
  const response = 'responseCode' in thrown ? ` ${String(thrown.responseCode)}` : '';
  return `${code}${response}`;
}
