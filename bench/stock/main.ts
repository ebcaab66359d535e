import path from 'node:path';
import { cli, ServerOptions } from '@livekit/agents';

/**
 * The stock side of the comparison: the framework's own worker, started as its guide says (`start`), with one
 * process per call and its default number of idle processes. Only its limit of load is lifted: it looks at
 * the processor of the whole machine, which here also carries SIP, LiveKit and the callers, and would make
 * it refuse calls.
 */
cli.runApp(
  new ServerOptions({
    agent: path.join(import.meta.dirname, 'agent.ts'),
    agentName: process.env.AGENT_NAME ?? '',
    host: '127.0.0.1',
    port: Number(process.env.BENCH_PORT),
    loadFunc: async () => 0,
    logLevel: 'warn',
  }),
);
