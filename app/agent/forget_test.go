package agent

import (
	"testing"

	"kvart/app"
)

// TestForget: nothing that opens anything stays on the computer, and what is
// stored stays where it is.
func TestForget(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	secrets := s.Secrets.(*memorySecrets)
	for _, key := range []string{channelKey("Mobilen", "token"), heartbeatSecret, kitCodeKey} {
		if err := secrets.SetSecret(t.Context(), key, app.NewSecret("hemligt")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Store.Update(func(d *Document) error {
		d.Watch.Channels = []app.Channel{{Name: "Mobilen", Kind: app.ChannelNtfy}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(secrets.m) != 0 {
		t.Errorf("still kept: %v", secrets.m)
	}
}
