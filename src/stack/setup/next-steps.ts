import type { PreparedStack } from '../prepare-stack.ts';

/** Where things are, and what to try, as lines that can be pasted. */
export function nextSteps({ config, ports }: Pick<PreparedStack, 'config' | 'ports'>): string {
  return `
Trunkline is up. Ctrl-C stops everything.

  API         ${config.API_INTERNAL_URL}          its key: API_KEY in .env
  API docs    ${config.API_INTERNAL_URL}/docs
  SIP         ${config.SIP_ADDRESS} (UDP and TCP), RTP from ${ports.rtp} on
  LiveKit     ${config.LIVEKIT_URL}
  Logs        ${config.DATA_DIR}/logs             \`bin/trunkline logs -f\`

Try next:

  # 1. ask for a call; the simulated phone answers it
  curl -s ${config.API_INTERNAL_URL}/api/outbound-call -H "X-API-Key: $(grep ^API_KEY= .env | cut -d= -f2)" \\
    -H 'content-type: application/json' -d '{"to_number": "+12025550123", "personality": "appointment_reminder"}'

  # 2. have a conversation tested, over real SIP
  bin/trunkline simulate test/conversations/inbound.yaml

  # 3. see calls as they happen
  bin/trunkline watch
`;
}
