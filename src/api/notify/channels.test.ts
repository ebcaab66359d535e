import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../platform/testing/free-port.ts';
import { Releases } from '../../platform/releases.ts';
import { channelsOf } from './channels.ts';
import { chatBody, chatChannel } from './chat-channel.ts';
import { mailChannel } from './mail-channel.ts';

const message = { subject: 'Trunkline on host: 1 new problem', text: 'PROBLEM: Ünwell.\n\nMore.' };
const PASSWORD = 'hunter2-very-secret';

let releases = new Releases();
afterEach(async () => {
  await releases.run();
  releases = new Releases();
});

type Posted = { url: string | undefined; body: unknown };

async function chatReceiver(status = 200): Promise<{ url: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      posted.push({ url: request.url, body: JSON.parse(text) });
      response.writeHead(status, { location: 'http://127.0.0.1:9/elsewhere' }).end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  releases.add('receiver', () => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cr3t`, posted };
}

describe('the chat', () => {
  it('gets the message as Slack wants it', async () => {
    const { url, posted } = await chatReceiver();
    await chatChannel(url).send(message);
    expect(posted).toEqual([
      { url: '/hooks/s3cr3t', body: { text: `${message.subject}\n${message.text}` } },
    ]);
  });

  it.each([
    ['https://discord.com/api/webhooks/1/x', 'content'],
    ['https://discordapp.com/api/webhooks/1/x', 'content'],
    ['https://discord.com/api/webhooks/1/x/slack', 'text'],
    ['https://hooks.slack.com/services/T/B/x', 'text'],
    ['https://chat.example.com/hooks/x', 'text'],
    ['https://prod-1.westeurope.logic.azure.com/workflows/x', 'attachments'],
    ['https://x.environment.api.powerplatform.com/powerautomate/x', 'attachments'],
    ['https://notdiscord.com/x', 'text'],
  ])('gets the form that %s takes', (url, field) => {
    expect(Object.keys(chatBody(url, message))).toContain(field);
  });

  it('gets no more than the smallest of them takes', () => {
    const long = { subject: 's', text: 'x'.repeat(10_000) };
    const { content } = chatBody('https://discord.com/api/webhooks/1/x', long);
    expect(String(content).length).toBeLessThan(2000);
  });

  it.each([500, 302, 404])(
    'that answers %s has not got it, and no error tells where',
    async (status) => {
      const { url } = await chatReceiver(status);
      const failure = await chatChannel(url)
        .send(message)
        .catch((thrown: unknown) => thrown);
      expect(String(failure)).toMatch(/NOTIFY_WEBHOOK_URL/);
      expect(String(failure)).not.toContain('s3cr3t');
    },
  );

  it('that is away has not got it, and no error tells where', async () => {
    const url = `http://127.0.0.1:${await freePort()}/hooks/s3cr3t`;
    const failure = await chatChannel(url)
      .send(message)
      .catch((thrown: unknown) => thrown);
    expect(String(failure)).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    expect(String(failure)).not.toContain('s3cr3t');
  });
});

type Mail = { from: string | false; to: string[]; user: unknown; source: string };

async function mailServer(answer?: { code: number }): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      if (password === PASSWORD) done(null, { user: username });
      else done(new Error(`wrong password ${String(password)}`));
    },
    onData: (stream, session, done) => {
      let source = '';
      stream.on('data', (chunk: Buffer) => (source += chunk.toString()));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom && mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user,
          source,
        });
        done(answer ? Object.assign(new Error('no'), { responseCode: answer.code }) : null);
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  releases.add('mail server', async () => new Promise<void>((done) => server.close(() => done())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

describe('mail', () => {
  const settings = {
    from: 'Trunkline <trunkline@example.com>',
    to: 'a@example.com, b@example.com',
  };

  it('goes to all recipients, with user and password', async () => {
    const { port, mails } = await mailServer();
    const channel = mailChannel({
      ...settings,
      smtpUrl: `smtp://bot:${PASSWORD}@127.0.0.1:${port}`,
    });
    releases.add('channel', () => channel.close());
    await channel.send(message);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      from: 'trunkline@example.com',
      to: ['a@example.com', 'b@example.com'],
      user: 'bot',
    });
    expect(mails[0]?.source).toMatch(/^Subject: Trunkline on host: 1 new problem\r$/m);
    expect(mails[0]?.source).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  });

  it.each([
    ['refuses the password', 'smtp://bot:wrong-s3cr3t@127.0.0.1'],
    ['refuses the mail', `smtp://bot:${PASSWORD}@127.0.0.1`],
  ])('that the server %s fails, and no error tells why in its words', async (_what, smtpUrl) => {
    const { port } = await mailServer({ code: 552 });
    const channel = mailChannel({ ...settings, smtpUrl: `${smtpUrl}:${port}` });
    releases.add('channel', () => channel.close());
    const failure = await channel.send(message).catch((thrown: unknown) => thrown);
    expect(String(failure)).toMatch(/did not take the mail \((EAUTH 535|EMESSAGE 552)\)/);
    expect(String(failure)).not.toMatch(/s3cr3t|hunter2/);
  });

  it('fails where no server is', async () => {
    const smtpUrl = `smtp://127.0.0.1:${await freePort()}`;
    const channel = mailChannel({ ...settings, smtpUrl });
    releases.add('channel', () => channel.close());
    await expect(channel.send(message)).rejects.toThrow(/ESOCKET|ECONNECTION|ECONNREFUSED/);
  });
});

it('are those that the configuration names', () => {
  const none = {
    NOTIFY_WEBHOOK_URL: undefined,
    NOTIFY_EMAIL_TO: undefined,
    NOTIFY_EMAIL_FROM: undefined,
    SMTP_URL: undefined,
  };
  expect(channelsOf(none)).toEqual([]);
  const all = channelsOf({
    NOTIFY_WEBHOOK_URL: 'http://chat.local/x',
    NOTIFY_EMAIL_TO: 'a@example.com',
    NOTIFY_EMAIL_FROM: 'b@example.com',
    SMTP_URL: 'smtp://127.0.0.1',
  });
  expect(all.map(({ name }) => name)).toEqual(['chat', 'mail']);
});
