"""User agents say on what device, and with which browser and system, somebody came."""

import pytest

from plugin.agents import Agent, read

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "says"),
    [
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) {WEBKIT} Mobile/15E148",
            Agent("mobile", "Safari", "iOS"),
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) {WEBKIT} CriOS/142.0 Mobile/15E148 Safari/604.1",
            Agent("mobile", "Chrome", "iOS"),
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) {WEBKIT} Version/19.1 Mobile/15E148 Safari/604.1",
            Agent("tablet", "Safari", "iOS"),
        ),
        (f"Mozilla/5.0 (Linux; Android 16) {CHROME} Mobile Safari/537.36", Agent("mobile", "Chrome", "Android")),
        (f"Mozilla/5.0 (Linux; Android 16; SM-X710) {CHROME} Safari/537.36", Agent("tablet", "Chrome", "Android")),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/142.0.0.0",
            Agent("desktop", "Edge", "Windows"),
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/19.1 Safari/605.1.15",
            Agent("desktop", "Safari", "Mac OS X"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            Agent("desktop", "Firefox", "Linux"),
        ),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Agent(None, "Googlebot", None)),
        ("nothing that anybody knows", Agent()),
        ("Mozilla/5.0 " + "(" * 100_000, Agent()),
        ("", Agent()),
        (None, Agent()),
    ],
)
def test_a_user_agent_says_device_browser_and_system_as_their_users_call_them(user_agent, says):
    assert read(user_agent) == says
