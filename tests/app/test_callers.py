"""Who calls and never finishes is hung up on; who takes its time between two calls is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from sre_obs.app.daemon import callers
from sre_obs.app.daemon.callers import ImpatientProtocol
from sre_obs.app.daemon.guard import App, Guard, Message, Receive, Scope, Send
from sre_obs.model.secret import Secret

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once it has the body."""
    body = b""
    while True:
        message: Message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]}
    )
    await send({"type": "http.response.body", "body": b"yes"})


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=0, http=ImpatientProtocol, ws="none", lifespan="off", log_config=None
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize(
    "said",
    [b"", b"P", HEAD, HEAD + b"\r\n", HEAD + b"\r\nabc"],
    ids=["nothing", "a letter", "half a head", "no body", "half a body"],
)
def test_who_does_not_finish_is_hung_up_on(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REQUEST", 0.2)

    async def story() -> bytes:
        guard = Guard(echo, hosts=(), token=Secret(""), max_body=100)
        async with listening(guard) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            answer = await asyncio.wait_for(reader.read(), 10.0)
            writer.close()
            await writer.wait_closed()
            return answer

    assert asyncio.run(story()) == b""


def test_who_finishes_may_come_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REQUEST", 0.3)

    async def story() -> None:
        async with listening(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(3):
                writer.write(HEAD + b"\r\nabcde")
                answer = await asyncio.wait_for(reader.readuntil(b"yes"), 10.0)
                assert answer.startswith(b"HTTP/1.1 200 ")
                await asyncio.sleep(0.4)
            writer.close()
            await writer.wait_closed()

    asyncio.run(story())


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: a\r\n" * 20_000, b"GET /" + b"a" * 2_000_000],
    ids=["fields", "address"],
)
def test_a_head_without_end_is_refused_and_not_kept(head: bytes) -> None:
    async def story() -> bytes:
        async with listening(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answer = asyncio.create_task(reader.read())
            try:
                writer.write(head)
                await writer.drain()
                return await asyncio.wait_for(answer, 10.0)
            except ConnectionError:
                return b""  # hung up on in the middle
            finally:
                answer.cancel()
                writer.close()

    assert asyncio.run(story())[:12] in (b"", b"HTTP/1.1 400")


def test_a_head_as_large_as_browsers_send_is_read() -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 300) for n in range(60))

    async def story() -> bytes:
        async with listening(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + fields + b"\r\nabcde")
            answer = await asyncio.wait_for(reader.readuntil(b"yes"), 10.0)
            writer.close()
            await writer.wait_closed()
            return answer

    assert b"200" in asyncio.run(story())
