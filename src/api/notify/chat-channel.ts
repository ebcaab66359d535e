import { DeliveryError, type Channel } from './channel.ts';
import type { Message } from './message.ts';

const LIMIT_MS = 10_000;
/** Discord's limit is 2,000 characters, Slack's 40,000. */
const LONGEST = 1900;

/**
 * A chat by its incoming webhook. The address is the operator's own choice, so it may be a private one; it is a
 * secret, since who knows it can post, and stands in no error.
 */
export function chatChannel(url: string): Channel {
  return {
    name: 'chat',
    close: () => undefined,
    send: async (message) => {
      let status: number;
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(chatBody(url, message)),
          // Elsewhere the secret address would be known, too.
          redirect: 'error',
          signal: AbortSignal.timeout(LIMIT_MS),
        });
        await response.body?.cancel();
        status = response.status;
      } catch (thrown) {
        throw new DeliveryError(`NOTIFY_WEBHOOK_URL cannot be reached (${kindOf(thrown)})`);
      }
      if (status < 200 || status > 299) {
        throw new DeliveryError(`NOTIFY_WEBHOOK_URL answered HTTP ${status}`);
      }
    },
  };
}

/**
 * The message as the chat wants it, told by its address: Discord
 * (https://discord.com/developers/docs/resources/webhook#execute-webhook), Teams workflows
 * (https://learn.microsoft.com/connectors/teams/), and for all others the form of Slack, which Mattermost,
 * Rocket.Chat and Google Chat take too (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
 */
export function chatBody(url: string, { subject, text }: Message): Record<string, unknown> {
  const whole = `${subject}\n${text}`;
  const shown = whole.length > LONGEST ? `${whole.slice(0, LONGEST)} …` : whole;
  const { hostname, pathname } = new URL(url);
  if (/(^|\.)discord(app)?\.com$/.test(hostname) && !/\/slack\/?$/.test(pathname)) {
    return { content: shown, allowed_mentions: { parse: [] } };
  }
  if (/\.(logic\.azure|powerplatform)\.com$/.test(hostname)) {
    return {
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: shown
              .split('\n')
              .filter((line) => line !== '')
              .map((line) => ({ type: 'TextBlock', wrap: true, text: line })),
          },
        },
      ],
    };
  }
  return { text: shown };
}

/** The code of a failed connection; its message may quote the address. */
function kindOf(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if (error.name === 'TimeoutError') return 'no answer in time';
  }
  return 'connection failed';
}
