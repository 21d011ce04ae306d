//go:build !cgo || nolibav

package main

import (
	"github.com/spotter-video/spotter/internal/video/wire"
)

// howToBuild tells how to get a decoder that decodes.
const howToBuild = "spotter-decode was built without libav. On Debian and Ubuntu: apt install gcc pkg-config " +
	"libavformat-dev libavcodec-dev libswscale-dev, then CGO_ENABLED=1 go build -o bin/spotter-decode ./cmd/spotter-decode"

func versions() string { return howToBuild }

// triesThreads: Go cannot try how many there may be, and live.
const triesThreads = false

func startThreads(int) int { return 0 }

// serve answers the request with what is missing.
func serve() int {
	c := newControl()
	if _, err := c.request(); err != nil {
		return exitProtocol
	}
	return c.fail(wire.ReasonNotBuilt, "built without libav", "")
}
