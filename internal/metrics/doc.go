// Package metrics counts what a server does and shows it to Prometheus.
//
// [Metrics] is the server's [service.Events], is told of each request with [Metrics.Observe], and asks what only others know, such as
// how many tasks wait, when somebody looks: through [Sources], functions that say so in types of this package, so that it knows
// neither queue nor buckets nor sinks. Labels never have more values than a bound, whatever strangers ask for.
package metrics
