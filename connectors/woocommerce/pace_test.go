package woocommerce_test

import (
	"testing"
	"time"

	"kvart/connectors/woocommerce"
)

// What asks a shop one after the other has one pace between them: a restore that
// follows upon a backup does not begin with a rush of its own.
func TestPlatform_Open_onePace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := &woocommerce.Platform{Speed: 4}
	began := time.Now()
	b.shop.Requests()
	for range 4 {
		s, err := p.Open(t.Context(), b.access, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	asked := len(b.shop.Requests())
	if least := time.Duration(asked-4) * time.Second / 4; asked < 8 || time.Since(began) < least-least/10 {
		t.Errorf("%d questions in %s", asked, time.Since(began))
	}
}
