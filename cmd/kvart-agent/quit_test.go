package main

import (
	"testing"

	"kvart/app/ipc"
)

func TestQuit(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must([]string{"quit"}) // none has ever run
	g := s.guard()
	s.must([]string{"quit"})
	unlock, err := ipc.Lock(s.data)
	if err != nil {
		t.Fatal("quit returned before the guard was gone:", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := g.Wait(); err != nil {
		t.Errorf("the guard ended with %v:\n%s", err, &g.out)
	}
	s.must([]string{"quit"}) // and none runs any more
}
