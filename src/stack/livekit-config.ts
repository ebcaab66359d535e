import type { Config } from '../platform/config.ts';
import type { Ports } from './addresses.ts';
import { redisOfLivekit } from './redis-of-livekit.ts';
import { RTP_DRAINING, rtpWidth, sipMaxCalls } from './rtp-ports.ts';

const HOST = '127.0.0.1';

/** livekit-server's configuration for one machine, everything on loopback. JSON is YAML. */
export function livekitConfig(config: Config, ports: Ports): string {
  return JSON.stringify({
    port: ports.livekit,
    bind_addresses: [HOST],
    rtc: {
      tcp_port: ports.livekitTcp,
      udp_port: ports.livekitUdp,
      node_ip: HOST,
      use_external_ip: false,
      enable_loopback_candidate: true,
    },
    redis: redisOfLivekit(config.REDIS_URL),
    keys: { [config.LIVEKIT_API_KEY]: config.LIVEKIT_API_SECRET },
    room: { auto_create: true, empty_timeout: 30, departure_timeout: 5 },
    logging: { level: 'info', json: true },
  });
}

/** Where livekit-sip listens, and the address that it announces in SIP and SDP. */
export type SipReach = { listenIp: string; announcedIp: string };

/**
 * livekit-sip's configuration for one machine; an operator's own SIP_CONFIG_BODY wins as it is.
 */
export function sipConfig(config: Config, ports: Ports, reach: SipReach): string {
  if (config.SIP_CONFIG_BODY !== undefined) return config.SIP_CONFIG_BODY;
  return JSON.stringify({
    api_key: config.LIVEKIT_API_KEY,
    api_secret: config.LIVEKIT_API_SECRET,
    ws_url: config.LIVEKIT_URL,
    redis: redisOfLivekit(config.REDIS_URL),
    listen_ip: reach.listenIp,
    nat_1_to_1_ip: reach.announcedIp,
    use_external_ip: false,
    sip_port: ports.sip,
    rtp_port: `${ports.rtp}-${ports.rtp + rtpWidth(sipMaxCalls(config)) - 1}`,
    rtp_draining_idle_timeout: RTP_DRAINING.idle,
    rtp_draining_duration: RTP_DRAINING.most,
    health_port: ports.sipHealth,
    prometheus_port: ports.sipMetrics,
    // Of the whole host: at the default of 0.9 a small busy machine refuses to dial with "cpu exhausted".
    // 1 lifts the limit; anything above 1 counts as unset.
    max_cpu_utilization: 1,
    // Hold and silence suppression also send nothing; the worker watches for one-way silence by itself.
    media_timeout: '5m',
    logging: { level: 'info', json: true },
  });
}
