package all_test

import (
	"log/slog"
	"testing"

	"kvart/app"
	"kvart/connectors/all"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := all.Registry(slog.New(slog.DiscardHandler))
	for _, kind := range []app.Kind{"sqlite", "folder"} {
		c, err := r.Connector(kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.(app.Restorer); !ok {
			t.Errorf("%s restores nothing", kind)
		}
		if f, ok := c.Spec().Field("path"); !ok || !f.Required {
			t.Errorf("%s needs no path", kind)
		}
	}
}
