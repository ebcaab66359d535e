"""The Python side of the comparison: a plain agent as the framework's guides show it, with its defaults but for two.

The default turn detector judges intonation, of which the simulator's voices have little, and would let each turn
wait for some seconds. The limit of load looks at the processor of the whole machine, which here also carries SIP,
LiveKit and the callers, and would make the worker refuse calls.
"""

import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.plugins import deepgram, openai

SIMULATOR = os.environ["SIMULATOR_URL"]

server = AgentServer(
    host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), load_fnc=lambda *_: 0.0
)


@server.rtc_session(agent_name=os.environ["AGENT_NAME"])
async def entry(context: JobContext) -> None:
    session = AgentSession(
        turn_handling={"turn_detection": "vad"},
        stt=deepgram.STT(
            api_key="simulator",
            base_url=SIMULATOR.replace("http", "ws", 1) + "/v1/listen",
        ),
        llm=openai.LLM(
            api_key="simulator", base_url=f"{SIMULATOR}/v1", model="simulator"
        ),
        tts=openai.TTS(
            api_key="simulator",
            base_url=f"{SIMULATOR}/v1",
            model="simulator",
            voice="sim-agent-en",
            response_format="pcm",
        ),
    )
    session.on("close", lambda _: context.shutdown("the caller left"))
    await session.start(
        agent=Agent(instructions="You answer the telephone of a dental practice."),
        room=context.room,
    )
    session.say(os.environ["BENCH_GREETING"])


if __name__ == "__main__":
    cli.run_app(server)
