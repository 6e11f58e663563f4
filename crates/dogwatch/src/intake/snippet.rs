//! What to write into the configuration of each tool, ready to be pasted. Pure.

/// A tool, and what to write there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The word for it.
    pub tool: &'static str,
    /// What it is and where to write it.
    pub title: &'static str,
    /// With `<url>` for our address and `<key>` for the key.
    template: &'static str,
}

/// Every tool.
pub const SNIPPETS: [Snippet; 10] = [
    Snippet {
        tool: "alertmanager",
        title: "a receiver of Prometheus Alertmanager: alertmanager.yml",
        template: "\
receivers:
  - name: dogwatch
    webhook_configs:
      - url: <url>/integrations/v1/alertmanager/<key>/
        send_resolved: true
        max_alerts: 0
",
    },
    Snippet {
        tool: "grafana",
        title: "a contact point of Grafana: provisioning/alerting/dogwatch.yaml",
        template: "\
apiVersion: 1
contactPoints:
  - orgId: 1
    name: dogwatch
    receivers:
      - uid: dogwatch
        type: webhook
        settings:
          url: <url>/integrations/v1/grafana/<key>/
          httpMethod: POST
",
    },
    Snippet {
        tool: "pagerduty",
        title: "anything that speaks PagerDuty's Events API v2",
        template: "\
curl --fail-with-body <url>/v2/enqueue -d '{
  \"routing_key\": \"<key>\",
  \"event_action\": \"trigger\",
  \"dedup_key\": \"db1/disk\",
  \"payload\": { \"summary\": \"disk full on db1\", \"source\": \"db1\", \"severity\": \"critical\" }
}'
",
    },
    Snippet {
        tool: "opsgenie",
        title: "anything that speaks Opsgenie's alert API",
        template: "\
curl --fail-with-body <url>/v2/alerts -H 'Authorization: GenieKey <key>' -d '{
  \"message\": \"disk full on db1\",
  \"alias\": \"db1/disk\",
  \"priority\": \"P1\"
}'
",
    },
    Snippet {
        tool: "victorops",
        title: "anything that speaks the REST endpoint of VictorOps",
        template: "\
curl --fail-with-body <url>/integrations/generic/20131114/alert/<key>/ops -d '{
  \"message_type\": \"CRITICAL\",
  \"entity_id\": \"db1/disk\",
  \"entity_display_name\": \"disk full on db1\"
}'
",
    },
    Snippet {
        tool: "zabbix",
        title: "a media type of Zabbix, of the kind webhook: its script; its parameters are in the guide",
        template: "\
var request = new HttpRequest();
request.addHeader('Content-Type: application/json');
var answer = request.post('<url>/integrations/v1/zabbix/<key>/', value);
if (request.getStatus() !== 200) {
    throw 'Dogwatch answered ' + request.getStatus() + ': ' + answer;
}
return 'OK';
",
    },
    Snippet {
        tool: "naemon",
        title: "a command and a contact of Naemon or Nagios",
        template: "\
# naemon.cfg: enable_environment_macros=1
define command {
  command_name  notify-by-dogwatch
  command_line  DOGWATCH_URL=<url> DOGWATCH_KEY=<key> dogwatch nagios
}

define contact {
  contact_name                   dogwatch
  host_notification_commands     notify-by-dogwatch
  service_notification_commands  notify-by-dogwatch
  host_notification_options      d,u,r,f
  service_notification_options   w,u,c,r,f
  host_notification_period       24x7
  service_notification_period    24x7
}
",
    },
    Snippet {
        tool: "icinga",
        title: "two commands of Icinga 2, for hosts and for services",
        template: "\
object NotificationCommand \"dogwatch-host\" {
  command = [ \"dogwatch\", \"nagios\" ]
  arguments = {
    \"--type\" = \"$notification.type$\"
    \"--host\" = \"$host.name$\"
    \"--state\" = \"$host.state$\"
    \"--output\" = \"$host.output$\"
    \"--author\" = \"$notification.author$\"
    \"--comment\" = \"$notification.comment$\"
  }
  env = {
    DOGWATCH_URL = \"<url>\"
    DOGWATCH_KEY = \"<key>\"
  }
}

object NotificationCommand \"dogwatch-service\" {
  command = [ \"dogwatch\", \"nagios\" ]
  arguments = {
    \"--type\" = \"$notification.type$\"
    \"--host\" = \"$host.name$\"
    \"--service\" = \"$service.name$\"
    \"--state\" = \"$service.state$\"
    \"--output\" = \"$service.output$\"
    \"--author\" = \"$notification.author$\"
    \"--comment\" = \"$notification.comment$\"
  }
  env = {
    DOGWATCH_URL = \"<url>\"
    DOGWATCH_KEY = \"<key>\"
  }
}
",
    },
    Snippet {
        tool: "oncall",
        title: "what sent to Grafana OnCall's formatted webhook",
        template: "\
curl --fail-with-body <url>/integrations/v1/formatted_webhook/<key>/ -d '{
  \"alert_uid\": \"db1/disk\",
  \"title\": \"disk full on db1\",
  \"state\": \"alerting\",
  \"message\": \"97 % of /var is used\"
}'
",
    },
    Snippet {
        tool: "curl",
        title: "any JSON",
        template: "\
curl --fail-with-body <url>/integrations/v1/generic/<key>/ -d '{
  \"summary\": \"disk full on db1\",
  \"dedup_key\": \"db1/disk\",
  \"severity\": \"critical\",
  \"action\": \"trigger\"
}'
",
    },
];

impl Snippet {
    /// What to write, for this server and key.
    pub fn text(&self, url: &str, key: &str) -> String {
        self.template.replace("<url>", url).replace("<key>", key)
    }

    /// The snippet of a tool.
    pub fn of(tool: &str) -> Option<Self> {
        SNIPPETS.into_iter().find(|snippet| snippet.tool == tool)
    }
}
