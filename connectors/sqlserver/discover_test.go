package sqlserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"testing"

	"kvart/connectors/internal/nearby"
)

// SQL Servers are found by their port, and by their name where they have none.
func TestConnector_Discover(t *testing.T) {
	t.Parallel()
	answer := []byte{4, 1, 0, 25, 0, 0, 1, 0, 0, 0, 11, 0, 6, 0xff, 0, 0, 0, 0, 0, 15, 0, 0x07, 0xd0, 0, 0}
	f := nearby.Finder{
		Dial: func(_ context.Context, network, address string) (net.Conn, error) {
			if network != "tcp" || address != "127.0.0.1:49732" {
				return nil, errors.New("nobody there")
			}
			near, far := net.Pipe()
			go func() {
				if _, err := io.ReadFull(far, make([]byte, 26)); err == nil {
					far.Write(answer)
				}
				far.Close()
			}()
			return near, nil
		},
		Listening: func(context.Context) nearby.Listening {
			return nearby.Listening{
				Whole: true, Instances: []string{"NAKEN"},
				Ports: []nearby.Listener{{Hosts: []string{"127.0.0.1"}, Port: 49732, Owner: "sqlservr"}},
			}
		},
	}
	found, err := New(slog.New(slog.DiscardHandler)).discover(t.Context(), f)
	if err != nil || len(found) != 2 {
		t.Fatalf("found %+v, %v", found, err)
	}
	if f := found[1]; f.Name != "SQL Server 2019" || f.Likely || !maps.Equal(f.Settings, map[string]string{"host": "127.0.0.1", "port": "49732"}) {
		t.Errorf("found %+v", f)
	}
	if f := found[0]; f.Name != "SQL Server NAKEN" || !maps.Equal(f.Settings, map[string]string{"host": "127.0.0.1", "instance": "NAKEN"}) {
		t.Errorf("found %+v", f)
	}
}
