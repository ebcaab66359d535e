import type { Ports } from './addresses.ts';
import type { SipReach } from './livekit-config.ts';

/** Who must reach a port. `carriers`: the addresses of the trunks; `here`: this machine's processes. */
export type FirewallRow = {
  ports: string;
  protocols: string;
  process: string;
  from: 'carriers' | 'programs' | 'here';
};

/** What a firewall must let through to this machine, and what it need not. */
export function firewallTable(options: {
  ports: Ports;
  rtpWidth: number;
  reach: SipReach;
  apiIsPublic: boolean;
}): FirewallRow[] {
  const { ports, rtpWidth } = options;
  const sip = options.reach.listenIp === '127.0.0.1' ? 'here' : 'carriers';
  const own = [ports.sipHealth, ports.sipMetrics, ports.dispatcher, ports.trunkMonitor];
  return [
    row(String(ports.sip), 'UDP, TCP', 'livekit-sip', sip),
    row(`${ports.rtp}-${ports.rtp + rtpWidth - 1}`, 'UDP', 'livekit-sip (sound)', sip),
    row(String(ports.api), 'TCP', 'api', options.apiIsPublic ? 'programs' : 'here'),
    row(`${ports.livekit}, ${ports.livekitTcp}`, 'TCP', 'livekit-server', 'here'),
    row(String(ports.livekitUdp), 'UDP', 'livekit-server (all sound)', 'here'),
    row(String(ports.redis), 'TCP', 'redis', 'here'),
    row(own.join(', '), 'TCP', 'health and metrics', 'here'),
    row(`${ports.worker} on`, 'TCP', 'workers: health and metrics', 'here'),
  ];
}

function row(
  ports: string,
  protocols: string,
  process: string,
  from: FirewallRow['from'],
): FirewallRow {
  return { ports, protocols, process, from };
}

const WHO: Record<FirewallRow['from'], string> = {
  carriers: "the carriers' addresses, in both directions",
  programs: 'programs that use the api, through a proxy with TLS',
  here: 'nobody outside this machine',
};

/** The table for people. */
export function firewallText(rows: readonly FirewallRow[]): string {
  const lines = rows.map(
    ({ ports, protocols, process: name, from }) =>
      `${ports.padEnd(24)} ${protocols.padEnd(9)} ${name.padEnd(29)} ${WHO[from]}`,
  );
  return `${lines.join('\n')}\n`;
}
