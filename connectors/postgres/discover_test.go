//go:build unix

package postgres

import (
	"context"
	"maps"
	"net"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"kvart/app"
	"kvart/connectors/internal/nearby"
)

// On a server whose socket lets this account in, the databases are found, ready
// to be added; where it doesn't, the server alone. Not beside other tests:
// looking into their databases would keep them from being exchanged.
func TestConnector_Discover(t *testing.T) {
	w := newWorld(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	w.do("CREATE TABLE orders (id int); CREATE TABLE customer (id int)")
	var d net.Dialer
	f := nearby.Finder{
		Dial: d.DialContext, Sockets: []string{filepath.Join(bed.dir, ".s.PGSQL.*")},
		Listening: func(context.Context) nearby.Listening {
			return nearby.Listening{Whole: true, Ports: []nearby.Listener{{Hosts: []string{"127.0.0.1"}, Port: bed.port, Owner: "postgres"}}}
		},
	}
	alone := map[string]string{fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(bed.port)}
	found, err := w.c.discover(t.Context(), f)
	if err != nil || len(found) != 1 || found[0].Name != "PostgreSQL" || found[0].Likely || !maps.Equal(found[0].Settings, alone) {
		t.Errorf("found %+v, %v", found, err)
	}

	w.on("postgres", "CREATE ROLE "+ident(me.Username)+" LOGIN SUPERUSER")
	t.Cleanup(func() { w.on("postgres", "DROP ROLE "+ident(me.Username)) })
	found, err = w.c.discover(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(f app.Found) bool { return f.Name == w.name })
	want := map[string]string{fieldHost: "127.0.0.1", fieldSocket: bed.dir, fieldPort: strconv.Itoa(bed.port), fieldUser: me.Username, fieldDatabase: w.name}
	if i < 0 || !found[i].Likely || found[i].Bytes == 0 || !maps.Equal(found[i].Settings, want) {
		t.Fatalf("found %+v", found)
	}
	if slices.ContainsFunc(found, func(f app.Found) bool { return f.Name == "postgres" || f.Name == "template1" }) {
		t.Errorf("found %+v", found)
	}
	if err := w.c.Spec().CheckSettings(found[i].Settings, nil); err != nil {
		t.Errorf("can't be added: %v", err)
	}
	if _, err := w.c.Check(t.Context(), app.Access{Source: app.Source{Kind: Kind, Settings: found[i].Settings}}); err != nil {
		t.Errorf("can't be read: %v", err)
	}
}
