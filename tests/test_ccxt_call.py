"""One call to ccxt: an answer without content is no answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from freqtrade_fundhedge.errors import OutcomeUnknown
from freqtrade_fundhedge.venue.ccxt_call import call, twin


class Api:
    """Answers as ccxt does: what is no JSON is handed on as text, and unified methods make empty lists of it."""

    last_http_response: str | None = "what the call before left behind"
    enableRateLimit = False

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.sent = 0

    def history(self) -> list[str]:
        self.sent += 1
        self.last_http_response = self.text
        return []


@pytest.mark.parametrize("text", ["", " \n", "<html>maintenance</html>"])
def test_a_success_without_json_is_unknown(text: str) -> None:
    """HTTP 200 with an empty or foreign body must not pass for an empty history; nothing is asked twice."""
    api = Api(text)
    with pytest.raises(OutcomeUnknown, match="without content"):
        call(api, api.history)
    assert api.sent == 1


@pytest.mark.parametrize("text", ["[]", '{"rows": []}', None])
def test_json_and_calls_without_a_request_pass(text: str | None) -> None:
    """An empty list in JSON is an answer, and a method that needed no request has none to judge."""
    api = Api(text)
    assert call(api, api.history) == []


def test_another_threads_answer_stands_for_nobody_elses() -> None:
    """Two threads on one object go one after the other; one on its twin does not wait."""
    api = Api("")
    late = threading.Event()

    def slow() -> list[str]:
        api.history()
        late.wait(0.5)
        return []

    def quick() -> list[str]:
        api.last_http_response = "{}"
        late.set()
        return []

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(call, api, slow)
        second = threads.submit(call, api, quick)
        with pytest.raises(OutcomeUnknown):
            first.result(5)
        assert second.result(5) == []
        late.clear()
        held = threads.submit(call, api, slow)
        with twin(api) as other:
            other.last_http_response, other.text = "{}", "{}"
            assert threads.submit(call, other, other.history).result(5) == []
            assert not held.done()
