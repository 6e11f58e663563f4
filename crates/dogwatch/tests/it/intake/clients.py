"""Real clients against a running Dogwatch: PagerDuty's and Opsgenie's own, each in its usual way."""

import sys
import time

import opsgenie_sdk
import pdpyras

url, key = sys.argv[1:3]

pagerduty = pdpyras.EventsAPISession(key)
pagerduty.url = url
dedup_key = pagerduty.trigger("disk full on db1", "db1", severity="critical", custom_details={"used": 97})
again = pagerduty.trigger("disk full on db1", "db1", severity="critical", dedup_key=dedup_key)
assert again == dedup_key, (again, dedup_key)
other = pagerduty.trigger("cpu on db1", "db1", dedup_key="db1/cpu", severity="error")
assert other == "db1/cpu", other
pagerduty.acknowledge(other)
pagerduty.resolve(dedup_key)
changes = pdpyras.ChangeEventsAPISession(key)
changes.url = url
changes.submit("deployed 7", source="ci")
try:
    pagerduty.send_event("trigger", payload={"summary": "no source"})
    raise SystemExit("an event without a source was taken")
except pdpyras.PDHTTPError as error:
    assert error.response.status_code == 400, error.response.text

configuration = opsgenie_sdk.Configuration()
configuration.host = url
configuration.api_key["Authorization"] = key
configuration.api_key_prefix["Authorization"] = "GenieKey"
opsgenie = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))


def done(answer):
    """What became of a request."""
    return opsgenie.get_request_status(answer.request_id).data


body = opsgenie_sdk.CreateAlertPayload(message="net down", alias="db1/net", priority="P1", tags=["net"])
created = opsgenie.create_alert(body)
assert created.result == "Request will be processed", created
data = done(created)
assert data.is_success and data.alias == "db1/net", data
shown = opsgenie.get_alert(identifier="db1/net", identifier_type="alias").data
assert (shown.status, shown.priority, shown.message) == ("open", "P1", "net down"), shown
by_id = opsgenie.get_alert(identifier=data.alert_id).data
assert by_id.tiny_id == shown.tiny_id, by_id
note = opsgenie_sdk.AddNoteToAlertPayload(note="looking", user="bob")
assert done(opsgenie.add_note(identifier="db1/net", add_note_to_alert_payload=note, identifier_type="alias")).is_success
acknowledge = opsgenie_sdk.AcknowledgeAlertPayload(user="bob", note="mine")
answer = opsgenie.acknowledge_alert(
    identifier="db1/net", identifier_type="alias", acknowledge_alert_payload=acknowledge
)
assert done(answer).is_success
assert opsgenie.get_alert(identifier="db1/net", identifier_type="alias").data.acknowledged
listed = opsgenie.list_alerts(query="status: open", limit=10).data
assert "db1/net" in [alert.alias for alert in listed], listed
assert opsgenie.count_alerts(query="status: open").data.count == 2
answer = opsgenie.close_alert(identifier="db1/net", identifier_type="alias", close_alert_payload=opsgenie_sdk.CloseAlertPayload())
assert done(answer).is_success
assert not done(opsgenie.close_alert(identifier="nothing", identifier_type="alias")).is_success
try:
    opsgenie.assign_alert(
        identifier="db1/net", identifier_type="alias",
        assign_alert_payload=opsgenie_sdk.AssignAlertPayload(owner={"username": "bob"}),
    )
    raise SystemExit("an assignment was taken")
except opsgenie_sdk.exceptions.ConfigurationException as error:
    assert "(422)" in str(error) and "does not do" in str(error), error
heartbeats = opsgenie_sdk.HeartbeatApi(opsgenie_sdk.ApiClient(configuration))
pong = heartbeats.ping("backup")
assert "PONG" in pong.result, pong
print("all is well", time.strftime("%H:%M:%S"))
