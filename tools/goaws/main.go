// Command goaws serves the API of Amazon SNS and SQS on loopback, for tests and for the walk-through: github.com/Admiral-Piett/goaws,
// which on its own listens on every address of the machine, and knows of SQS only the protocol that AWS's clients spoke
// until 2023. Everybody is let in, and nothing outlives the process.
//
//	goaws 127.0.0.1:4100 us-east-1 000000000000      # address, region, account
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Admiral-Piett/goaws/app"
	"github.com/Admiral-Piett/goaws/app/router"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "goaws:", err)
		os.Exit(1)
	}
}

func serve(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("wanted: an address, a region, an account")
	}
	host, port, err := net.SplitHostPort(arguments[0])
	if err != nil {
		return err
	}
	app.CurrentEnvironment = app.Environment{
		Host: host, Port: port, Region: arguments[1], AccountID: arguments[2],
		// AWS's defaults.
		QueueAttributeDefaults: app.EnvQueueAttributes{VisibilityTimeout: 30, MaximumMessageSize: 256 << 10},
	}
	server := &http.Server{Addr: arguments[0], Handler: bothProtocols(router.New()), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
