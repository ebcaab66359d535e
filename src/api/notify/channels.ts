import type { Config } from '../../platform/config.ts';
import type { Channel } from './channel.ts';
import { chatChannel } from './chat-channel.ts';
import { mailChannel } from './mail-channel.ts';

/** The ways to reach people that the configuration names. */
export function channelsOf(
  config: Pick<Config, 'NOTIFY_WEBHOOK_URL' | 'NOTIFY_EMAIL_TO' | 'NOTIFY_EMAIL_FROM' | 'SMTP_URL'>,
): Channel[] {
  const {
    NOTIFY_WEBHOOK_URL: chat,
    NOTIFY_EMAIL_TO: to,
    NOTIFY_EMAIL_FROM: from,
    SMTP_URL: smtpUrl,
  } = config;
  return [
    ...(chat === undefined ? [] : [chatChannel(chat)]),
    ...(to !== undefined && from !== undefined && smtpUrl !== undefined
      ? [mailChannel({ smtpUrl, from, to })]
      : []),
  ];
}
