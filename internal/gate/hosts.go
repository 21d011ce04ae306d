package gate

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names that a server answers to. A page of a stranger can be given a name that leads to this machine, and the
// browser then lets it read whatever answers here (DNS rebinding); but its requests carry that name.
type Hosts struct {
	loopback bool
	names    []string
}

// NewHosts makes the hosts of a listener. On loopback they are localhost, the names below it, the addresses of loopback, and the
// names given. Elsewhere they are all without names, and otherwise the names, with every IP address and what is of loopback beside
// them: rebinding needs a name. Names are in lower case, IPv6 addresses without brackets, all without ports.
func NewHosts(loopback bool, names []string) Hosts {
	return Hosts{loopback: loopback, names: slices.Clone(names)}
}

// Has says whether a request's Host, with or without a port, is one of them. One that is empty is: browsers always name one, and
// some load balancers do not.
func (h Hosts) Has(host string) bool {
	if host == "" || !h.loopback && len(h.names) == 0 {
		return true
	}
	name := nameOf(host)
	address, err := netip.ParseAddr(name)
	switch {
	case slices.Contains(h.names, name):
		return true
	case err == nil:
		return !h.loopback || address.Unmap().IsLoopback()
	default:
		return name == "localhost" || strings.HasSuffix(name, ".localhost")
	}
}

// nameOf is a host without its port, in the form of [NewHosts].
func nameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
