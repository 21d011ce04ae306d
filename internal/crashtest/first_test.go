package crashtest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// TestKilledAtFirstStart kills servers while they make their data folder. The next start must give a folder as any other,
// with credentials that work.
func TestKilledAtFirstStart(t *testing.T) {
	t.Parallel()
	rounds := int(setting(t, "SPOTTER_CRASHTEST_FIRST_STARTS", 3))
	seed := setting(t, "SPOTTER_CRASHTEST_SEED", time.Now().UnixNano())
	t.Logf("to repeat it: SPOTTER_CRASHTEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	began := time.Now()
	undisturbed := newBed(t).start(t).listening()
	took := time.Since(began)
	undisturbed.stop()
	for range rounds {
		b := newBed(t)
		for range 2 { // the second one finds what the first one has left
			s := b.start(t)
			time.Sleep(soon(random.Float64(), took))
			s.kill()
			b.sound(t)
		}
		s := b.start(t).listening()
		s.signed(t)
		s.stop()
		b.noTraces(t)
		b.sound(t)
	}
}

// signed makes a request with the administrator's key.
func (s *server) signed(t *testing.T) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"),
		config.WithSharedCredentialsFiles([]string{filepath.Join(s.bed.data(), "credentials")}),
		config.WithSharedConfigFiles([]string{os.DevNull}))
	if err != nil {
		t.Fatal(err)
	}
	client := rekognition.NewFromConfig(cfg, func(o *rekognition.Options) { o.BaseEndpoint = aws.String(s.url) })
	if _, err := client.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); err != nil {
		t.Errorf("the administrator's key does not work: %v", err)
	}
}
