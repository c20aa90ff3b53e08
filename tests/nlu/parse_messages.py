"""Reads messages with the trained model; run by the tests inside the dialogue environment.

Input: one JSON object a line ({"text", "metadata"}); output: one JSON object a line ({"intent",
"confidence", "entities"}).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import warnings


def main() -> None:
    warnings.simplefilter("ignore")
    from nlu import without_tensorflow
    from nlu.server import environment

    without_tensorflow.install()
    os.environ.update(environment())
    import structlog
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    agent = Agent.load(sys.argv[1])

    async def parse() -> None:
        for line in sys.stdin:
            item = json.loads(line)
            message = UserMessage(item["text"], metadata=item.get("metadata") or {})
            parsed = await agent.processor.parse_message(message)
            sys.stdout.write(
                json.dumps(
                    {
                        "intent": parsed["intent"]["name"],
                        "confidence": parsed["intent"]["confidence"],
                        "entities": {entity["entity"]: entity["value"] for entity in parsed["entities"]},
                    }
                )
                + "\n"
            )

    asyncio.run(parse())


if __name__ == "__main__":
    main()
