//! The shapes of records.

/// How a record was delivered: by itself, in a batch, or in the capture of some tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Nothing known: not JSON, or JSON of another kind.
    #[default]
    Unknown,
    /// An event by itself.
    Event,
    /// A batch of the HTTP tracking API, or a list.
    Batch,
    /// A capture of no particular tool.
    Capture,
    /// A capture by webhook.site.
    WebhookSite,
    /// The request that API Gateway or a function URL passes to a Lambda function.
    ApiGateway,
    /// A request or an event of Hookdeck.
    Hookdeck,
    /// The trigger of a Pipedream workflow.
    Pipedream,
    /// A request that the ngrok agent recorded.
    Ngrok,
    /// An entry of an HTTP archive.
    Har,
    /// A `CloudEvent`.
    CloudEvents,
    /// An event of Amazon `EventBridge`.
    EventBridge,
    /// A message of Amazon SQS.
    Sqs,
    /// A notification of Amazon SNS.
    Sns,
    /// A record of Amazon Kinesis.
    Kinesis,
    /// A record of Amazon Data Firehose.
    Firehose,
    /// A message of Google Cloud Pub/Sub.
    PubSub,
    /// A message of Apache Kafka.
    Kafka,
    /// A log entry of a container or a log agent.
    Log,
    /// A line of a log file that ends in JSON.
    LogLine,
    /// An object of no known kind with an event in one member, or a text of JSON.
    Envelope,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 21] = [
        Self::Unknown,
        Self::Event,
        Self::Batch,
        Self::Capture,
        Self::WebhookSite,
        Self::ApiGateway,
        Self::Hookdeck,
        Self::Pipedream,
        Self::Ngrok,
        Self::Har,
        Self::CloudEvents,
        Self::EventBridge,
        Self::Sqs,
        Self::Sns,
        Self::Kinesis,
        Self::Firehose,
        Self::PubSub,
        Self::Kafka,
        Self::Log,
        Self::LogLine,
        Self::Envelope,
    ];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Event => "event",
            Self::Batch => "batch",
            Self::Capture => "capture",
            Self::WebhookSite => "webhook_site",
            Self::ApiGateway => "api_gateway",
            Self::Hookdeck => "hookdeck",
            Self::Pipedream => "pipedream",
            Self::Ngrok => "ngrok",
            Self::Har => "har",
            Self::CloudEvents => "cloudevents",
            Self::EventBridge => "eventbridge",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::Kinesis => "kinesis",
            Self::Firehose => "firehose",
            Self::PubSub => "pubsub",
            Self::Kafka => "kafka",
            Self::Log => "log",
            Self::LogLine => "log_line",
            Self::Envelope => "envelope",
        }
    }

    /// Returns the shape of an `inner` record found in a record of this shape. The outermost
    /// capture decides, because its tool wrote the file.
    #[must_use]
    pub fn around(self, inner: Self) -> Self {
        match self {
            Self::Unknown | Self::Event => inner,
            Self::Batch if inner > Self::Batch => inner,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_capture_names_a_record() {
        assert_eq!(Shape::Unknown.around(Shape::Event), Shape::Event);
        assert_eq!(Shape::Batch.around(Shape::Event), Shape::Batch);
        assert_eq!(Shape::Batch.around(Shape::Har), Shape::Har);
        assert_eq!(Shape::Har.around(Shape::Batch), Shape::Har);
        assert_eq!(Shape::Har.around(Shape::CloudEvents), Shape::Har);
    }

    #[test]
    fn all_stand_in_the_order_of_their_numbers() {
        for (number, shape) in Shape::ALL.into_iter().enumerate() {
            assert_eq!(shape as usize, number);
        }
    }
}
