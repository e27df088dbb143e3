package all_test

import (
	"log/slog"
	"testing"

	"kvart/app"
	"kvart/connectors/all"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := all.Registry(slog.New(slog.DiscardHandler), all.Options{Cache: t.TempDir()})
	for kind, field := range map[app.Kind]string{"sqlite": "path", "folder": "path", "mysql": "database", "postgres": "database", "woocommerce": "url", "vendure": "url"} {
		c, err := r.Connector(kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.(app.Restorer); !ok {
			t.Errorf("%s restores nothing", kind)
		}
		if f, ok := c.Spec().Field(field); !ok || !f.Required {
			t.Errorf("%s needs no %s", kind, field)
		}
	}
}
