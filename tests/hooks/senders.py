"""What alerting tools post to hooks of Slack and Mattermost: bodies written after their documentation, and what becomes
of each."""

from collections.abc import Mapping
from typing import Any

GRAFANA = {
    "channel": "#alerts",
    "username": "Grafana",
    "icon_emoji": ":fire:",
    "icon_url": "https://grafana.example.org/icon.png",
    "text": "",
    "attachments": [
        {
            "title": "[FIRING:1] HighCPU (node-1 critical)",
            "title_link": "https://grafana.example.org/alerting/list?orgId=1&search=cpu",
            "text": "**Firing**\n\nValue: A=97.3\nLabels:\n - alertname = HighCPU\nSource: "
            "<https://grafana.example.org/alerting/grafana/ab12/view?orgId=1|the rule>",
            "fallback": "[FIRING:1] HighCPU (node-1 critical)",
            "fields": [],
            "footer": "Grafana v12.1.0",
            "footer_icon": "https://grafana.com/static/assets/img/fav32.png",
            "color": "#D63232",
            "ts": 1764511200,
        }
    ],
}

ALERTMANAGER = {
    "channel": "#ops",
    "username": "Alertmanager",
    "attachments": [
        {
            "title": "[FIRING:2] InstanceDown (job=node)",
            "title_link": "http://alertmanager.example.org:9093/#/alerts?receiver=chat",
            "text": "Disk &gt; 90 % on *db-1* &amp; *db-2*",
            "fallback": "[FIRING:2] InstanceDown | http://alertmanager.example.org:9093",
            "callback_id": "",
            "footer": "",
            "color": "danger",
            "fields": [
                {"title": "severity", "value": "critical", "short": True},
                {"title": "runbook", "value": "<https://runbooks.example.org/down>", "short": False},
            ],
            "actions": [
                {"type": "button", "text": "Silence", "url": "http://alertmanager.example.org/silence"}
            ],
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }
    ],
}

UPTIME_KUMA_SLACK = {
    "text": "Uptime Kuma Alert: Shop\n<!channel>",
    "channel": "#status",
    "username": "Uptime Kuma",
    "icon_emoji": ":rocket:",
    "attachments": [
        {
            "color": "#e01e5a",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}},
                {
                    "type": "section",
                    "fields": [{"type": "mrkdwn", "text": "*Message*\n[Shop] [🔴 Down] 503"}],
                },
            ],
        }
    ],
}

UPTIME_KUMA_MATTERMOST = {
    "username": "Uptime Kuma",
    "channel": "status",
    "icon_emoji": ":red_circle:",
    "icon_url": "",
    "attachments": [
        {
            "fallback": "Your Shop service went down. ",
            "color": "#FF0000",
            "title": "❌ Shop service went down. ❌",
            "title_link": "https://shop.example.org",
            "fields": [
                {"short": True, "title": "Service Name", "value": "Shop"},
                {"short": True, "title": "Time (Europe/Berlin)", "value": "2026-11-30 10:00:00"},
                {"short": False, "title": "Ping", "value": 183},
                {"short": False, "title": "Error", "value": "Request failed with status code 503"},
            ],
        }
    ],
}

GITLAB = {
    "username": "GitLab",
    "channel": "ci",
    "text": "Ann pushed to branch <https://gitlab.example.org/g/p/commits/main|main> of "
    "<https://gitlab.example.org/g/p|Group / Project> "
    "(<https://gitlab.example.org/g/p/compare/1a2b...3c4d|Compare changes>)",
    "attachments": [
        {
            "color": "#345",
            "fallback": "",
            "fields": None,
            "text": "[3c4d5e6f](https://gitlab.example.org/g/p/-/commit/3c4d5e6f): Fix &lt;br&gt; - Ann",
            "ts": None,
        }
    ],
    "mrkdwn": True,
}

SENDERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "grafana": (
        GRAFANA,
        "[FIRING:1] HighCPU (node-1 critical) (https://grafana.example.org/alerting/list?orgId=1&search=cpu)\n"
        "**Firing**\n\nValue: A=97.3\nLabels:\n - alertname = HighCPU\nSource: "
        "the rule (https://grafana.example.org/alerting/grafana/ab12/view?orgId=1)",
    ),
    "alertmanager": (
        ALERTMANAGER,
        "[FIRING:2] InstanceDown (job=node) (http://alertmanager.example.org:9093/#/alerts?receiver=chat)\n"
        "Disk > 90 % on *db-1* & *db-2*\n"
        "severity: critical\n"
        "runbook: https://runbooks.example.org/down",
    ),
    "uptime kuma, slack": (UPTIME_KUMA_SLACK, "Uptime Kuma Alert: Shop\n@channel"),
    "uptime kuma, mattermost": (
        UPTIME_KUMA_MATTERMOST,
        "❌ Shop service went down. ❌ (https://shop.example.org)\n"
        "Service Name: Shop\nTime (Europe/Berlin): 2026-11-30 10:00:00\nPing: 183\n"
        "Error: Request failed with status code 503",
    ),
    "gitlab": (
        GITLAB,
        "Ann pushed to branch main (https://gitlab.example.org/g/p/commits/main) of "
        "Group / Project (https://gitlab.example.org/g/p) "
        "(Compare changes (https://gitlab.example.org/g/p/compare/1a2b...3c4d))\n\n"
        "[3c4d5e6f](https://gitlab.example.org/g/p/-/commit/3c4d5e6f): Fix <br> - Ann",
    ),
}
