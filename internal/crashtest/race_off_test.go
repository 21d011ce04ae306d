//go:build !race

package crashtest

// usualKills is how many kills [TestKilled] makes where nobody says otherwise.
const usualKills = 10
