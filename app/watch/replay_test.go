package watch

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"testing"
	"time"

	"kvart/app"
)

func TestReplay_sixtyDaysOfTradeAskNothing(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 60))
	s.none("60 days of trade")
}

func TestReplay_ransomwareOverAFolder(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(*sim){
		"adds an ending": func(s *sim) {
			for path, f := range maps.Clone(s.files) {
				delete(s.files, path)
				s.files[path+".lockbit"] = simFile{s.noise(len(f.body)), s.now}
			}
		},
		"adds an ending nobody knows": func(s *sim) {
			for path, f := range maps.Clone(s.files) {
				delete(s.files, path)
				s.files[path+".q7v"] = simFile{s.noise(len(f.body)), s.now}
			}
		},
		"keeps the names": func(s *sim) {
			for path, f := range s.files {
				s.files[path] = simFile{s.noise(len(f.body)), s.now}
			}
		},
		"keeps names and times' look, on part of the folder": func(s *sim) {
			n := 0
			for path, f := range s.files {
				if n++; n <= 60 {
					s.files[path] = simFile{s.noise(len(f.body)), f.at.Add(time.Second)}
				}
			}
		},
		"a name of its own for every file": func(s *sim) {
			for path, f := range maps.Clone(s.files) {
				delete(s.files, path)
				s.files[fmt.Sprintf("%x", sha256.Sum256([]byte(path)))] = simFile{s.noise(len(f.body)), s.now}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t).started()
			s.trade(s.now.AddDate(0, 0, 9))
			attack(s)
			found := s.quarter()
			if name == "a name of its own for every file" {
				s.want(found, app.UnusualQuestion, app.UnusualFiles)
				return
			}
			s.want(found, app.UnusualAlarm)
		})
	}
}

func TestReplay_slowAttackIsSeenAtItsThreshold(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 9))
	// one file an hour: nothing by itself says that this is no work of the owner's
	caught, taken := 0, 0
	for i := 0; i < 80 && caught == 0; i++ {
		path := fmt.Sprintf("bilder/%03d.jpg", i)
		f := s.files[path]
		delete(s.files, path)
		s.files[path+".q7v"] = simFile{s.noise(len(f.body)), s.now}
		taken++
		if s.quarter().Level == app.UnusualAlarm {
			caught = taken
		}
		s.now = s.now.Add(45 * time.Minute)
	}
	if caught != suffixMost+1 {
		t.Errorf("caught after %d files, the threshold is %d", caught, suffixMost+1)
	}
}

func TestReplay_slowAttackThatKeepsNamesStaysUnseenBelowItsThreshold(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 9))
	for i := range 60 { // nine a day
		path := fmt.Sprintf("bilder/%03d.jpg", i)
		s.files[path] = simFile{s.noise(6000), s.now}
		s.trade(s.now.Add(160 * time.Minute))
	}
	s.none("nine files a day; the documented limit is ten, most of a day's changes")
}

func TestReplay_seasonalPricesAreOneQuestion(t *testing.T) {
	t.Parallel()
	s := newSim(t)
	s.products(200)
	s.quarter()
	for i := range 200 { // every product's stock changes: no question
		s.product(i, 100+i, 4)
	}
	s.quarter()
	s.none("stock")
	for batch := range 4 { // an import in batches
		for i := range 45 {
			s.product(batch*45+i, 80+i, 4)
		}
		s.quarter()
	}
	if len(s.asked) != 1 || s.asked[0].Level != app.UnusualQuestion || s.asked[0].Reasons[0].Code != app.UnusualPrices {
		t.Fatalf("asked %+v", s.asked)
	}
	s.answer(true)
	for range 20 {
		s.quarter()
	}
	for i := range 180 { // the next season
		s.product(i, 130+i, 4)
	}
	s.quarter()
	if len(s.asked) != 1 {
		t.Errorf("asked again: %+v", s.asked[1:])
	}
}

func TestReplay_bulkDeleteInTheShop(t *testing.T) {
	t.Parallel()
	s := newSim(t)
	s.products(200)
	s.quarter()
	s.held = map[string]int64{"products": 120} // the connector keeps them, and says so
	s.want(s.quarter(), app.UnusualQuestion, app.UnusualShrunk)
	if r := s.asked[0].Reasons[0]; r.Kind != "products" || r.Count != 120 {
		t.Errorf("reason %+v", r)
	}
	s.answer(false)
	s.stats["kind.orders"] = 3000
	s.want(s.quarter(), app.UnusualQuestion, app.UnusualDropped)
}

func TestReplay_wipedTable(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 3))
	s.stats["table.kund"] = 0
	s.want(s.quarter(), app.UnusualAlarm, app.UnusualEmptied)
	s.answer(true)
	s.stats["table.kvitto"] = 0 // a yes about one is none about another
	s.want(s.quarter(), app.UnusualAlarm, app.UnusualEmptied)
}

func TestReplay_slowlyEmptiedTableIsSeenOverTheDay(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 3).Add(-time.Hour))
	from := s.stats["table.kund"]
	for range 12 {
		s.stats["table.kund"] -= from / 50
		if f := s.quarter(); f.Level != app.UnusualNone {
			s.want(f, app.UnusualQuestion, app.UnusualDropped)
			return
		}
	}
	t.Error("24 % of the customers went within three hours, unseen")
}

func TestReplay_droppedTable(t *testing.T) {
	t.Parallel()
	s := newSim(t)
	s.facts.Server = true
	s.stats = app.Stats{"table.wp_wc_orders": 500, "table.wp_options": 300, "bytes": 1}
	s.quarter()
	delete(s.stats, "table.wp_wc_orders")
	s.want(s.quarter(), app.UnusualAlarm, app.UnusualTableGone)
}

func TestReplay_uncountedTableIsNotKnownToBeGone(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.quarter()
	delete(s.stats, "table.kvitto") // SQLite ran out of time to count
	s.quarter()
	s.none("not counted")
	s.stats["table.kvitto"] = 10
	s.want(s.quarter(), app.UnusualQuestion, app.UnusualDropped)
}

func TestReplay_paymentsSentElsewhere(t *testing.T) {
	t.Parallel()
	s := newSim(t)
	put := func(iban string) {
		s.files["payment_gateways/bacs.json"] = simFile{fmt.Appendf(nil, `{"id":"bacs","settings":{"account_details":[{"iban":%q}],"title":"x%d"}}`, iban, s.now.Unix()), s.now}
	}
	put("SE1")
	s.quarter()
	put("SE1")
	s.quarter()
	s.none("nothing but a title")
	put("LT9")
	s.want(s.quarter(), app.UnusualQuestion, app.UnusualPayment)
}

func TestReplay_databaseTurnedIntoNoise(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.facts.Failed = app.CodeSourceNotDB // the first look: nothing can have turned
	if f := s.quarter(); f.Level != app.UnusualNone {
		t.Errorf("first look: %+v", f)
	}
	s.quarter()
	s.facts.Failed = app.CodeSourceOffline
	s.quarter()
	s.none("off line")
	s.facts.Failed = app.CodeSourceNotDB
	s.quarter()
	s.none("it may just be written anew")
	s.facts.Failed = app.CodeSourceNotDB
	s.want(s.quarter(), app.UnusualAlarm, app.UnusualTurned)
}

func TestReplay_newBytesCanNotBeMadeSmaller(t *testing.T) {
	t.Parallel()
	s := newSim(t)
	s.facts.Bytes = 200 << 20
	for range 10 {
		s.facts.Read, s.facts.Uploaded = 40<<20, 10<<20
		s.quarter()
	}
	s.none("usual")
	s.facts.Read, s.facts.Uploaded = 60<<20, 58<<20
	s.want(s.quarter(), app.UnusualQuestion, app.UnusualRaw)
}

func TestReplay_restoreIsNobodysQuestion(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.trade(s.now.AddDate(0, 0, 9))
	for path := range s.files {
		s.put(path, 6000, s.now)
	}
	s.stats["table.kund"] = 10
	s.facts.Expected = true
	s.quarter()
	s.put("kvitton/efter.pdf", 5000, s.now)
	s.quarter()
	s.none("a restore")
}

func TestReplay_canary(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.quarter()
	s.facts.Canary = app.CanaryUnknown
	s.quarter()
	s.none("a folder that can't be read")
	s.facts.Canary = app.CanaryTouched
	s.want(s.quarter(), app.UnusualAlarm, app.UnusualCanary)
}

func TestCanary_inAFolder(t *testing.T) {
	t.Parallel()
	w, dir := New(Options{}), t.TempDir()
	if got := w.LookCanary(dir + "/none"); got != app.CanaryUnknown {
		t.Errorf("no folder: %s", got)
	}
	for range 2 {
		if err := w.PlantCanary(dir); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.LookCanary(dir); got != app.CanaryAlive {
		t.Errorf("planted: %s", got)
	}
	write(t, dir+"/"+CanaryName, "pay us")
	if got := w.LookCanary(dir); got != app.CanaryTouched {
		t.Errorf("written over: %s", got)
	}
	if err := w.LiftCanary(dir); err != nil {
		t.Fatal(err)
	}
	if err := w.PlantCanary(dir); err != nil || w.LookCanary(dir) != app.CanaryAlive {
		t.Errorf("planted again: %v", err)
	}
	if err := w.LiftCanary(dir); err != nil || w.LookCanary(dir) != app.CanaryTouched {
		t.Errorf("lifted: %v", err)
	}
}

func TestLearned_damagedIsAnError(t *testing.T) {
	t.Parallel()
	s := newSim(t).started()
	s.quarter()
	for _, n := range []int{1, 3, 40, len(s.learned) - 1} {
		if _, err := New(Options{}).Begin(s.learned[:n]); err == nil {
			t.Errorf("%d bytes of %d are read", n, len(s.learned))
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"wp_wc_orders": true, "kvitto": true, "Kunder": true, "wc_orderStats": true, "catalog_product_entity": true, "artiklar": true, "försäljning": true, "försäljningsrad": true,
		"sessions": false, "order_log": false, "wp_options": false, "cart_items": false, "actionscheduler_actions": false,
	} {
		if got := isTrade(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
