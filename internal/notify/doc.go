// Package notify tells the world that jobs have ended: it takes [service.Notice]s from the outbox and hands them to the
// sinks that the configuration maps their topic to, at least once each.
//
// A topic is an SNS topic's ARN as a caller writes it into a request. Here it is a name only: [Config].Topics says which
// sinks stand behind it, and they may be anything from a real SNS topic ([SNS]) to a [Webhook], [NATS], [Kafka] or a
// [File], several at a time. All of them receive what [Message] makes, the JSON that Rekognition publishes.
//
// # Delivery
//
// A notice stays in the outbox until every sink of its topic has taken it. The sinks are independent: those that have
// taken it are remembered in Notice.Sinks by their names, and later attempts go to the others only. Attempts are repeated
// with growing pauses ([Retry]) until the notice is too old, and then it is dropped with an error in the log. A receiver
// may see a notice twice, for instance when the process was killed between a delivery and its record; every attempt
// carries the same id. Order is not promised. A sink that is slow or away holds up nobody but itself: as much as may wait
// for it is bounded, and what is over that is tried again later.
//
// # Webhooks
//
// A webhook is signed as Standard Webhooks says (https://www.standardwebhooks.com), in three headers: webhook-id is the
// notice's id, webhook-timestamp the time of this attempt, and webhook-signature one or more of "v1," and the base64 of
// the HMAC-SHA256 of "id.timestamp.body". Receivers verify it with the libraries of that project, as the example of
// [Webhook] shows. Any answer of 200 to 299 takes the notice. Redirects are not followed; 408, 425, 429 and 500 to 599 are
// tried again soon, everything else too, but with pauses of a minute or more, so that a receiver that was set up wrongly
// can be mended. Retry-After is heeded up to the longest pause. Proxies named in the environment are not used.
//
// The "sns" format has the shape that SNS gives an HTTP subscriber, so that code written for one can read it. Only AWS can
// make AWS's signature, so that Signature and SigningCertURL are left out and the three headers above stand in for them;
// nobody subscribes, so there is no confirmation to answer and no UnsubscribeURL.
//
// # Bounds of this room
//
// It imports service and face only, and refuses to know jobs' results, the store behind the outbox, and how the
// configuration is written. Several processes may run a [Notifier] on one outbox: nothing is lost, but they do not agree
// on who delivers, so that notices repeat. Nothing that is secret (webhook secrets, passwords, keys, addresses beyond
// their host) is in its errors and logs.
package notify
