package mysql

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestKeyColumns(t *testing.T) {
	t.Parallel()
	create := "CREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  `b,(` text DEFAULT 'PRIMARY KEY (`a`)',\n  `c` int(11) NOT NULL,\n  PRIMARY KEY (`c`,`b,(`(10)),\n  KEY `k` (`a`)\n)"
	if got := keyColumns(create); !slices.Equal(got, []int{2, 1}) {
		t.Errorf("got %v", got)
	}
	if got := fields([]byte(`1,'a,\'b',NULL,_binary 'x'`)); len(got) != 4 || string(got[1]) != `'a,\'b'` {
		t.Errorf("got %q", got)
	}
}

func TestEdited(t *testing.T) {
	t.Parallel()
	in := "CREATE TABLE `t` (\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `stays` (`id`),\n  CONSTRAINT `g` FOREIGN KEY (`a`) REFERENCES `moves` (`id`)\n);\n--\n-- Dumping data for table `t`\n--\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `stays` (`id`)\n"
	j := job{cfg: config{database: "shop"}, tables: []string{"t", "moves"}}
	got := new(strings.Builder)
	if _, err := io.Copy(got, edited(strings.NewReader(in), j.editor("shop_new"))); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(in, "REFERENCES `stays`", "REFERENCES `shop`.`stays`", 1); got.String() != want {
		t.Errorf("got %s", got)
	}
}

func TestMoved(t *testing.T) {
	t.Parallel()
	in := "CREATE VIEW `v` AS select `a`.`t`.`x` AS `x``y`,'`a`.`t` ''\\' `a`.' AS `s`,`b`.`a`.`c` from (`a`.`t` join `b`.`a`)"
	want := "CREATE VIEW `v` AS select `new`.`t`.`x` AS `x``y`,'`a`.`t` ''\\' `a`.' AS `s`,`b`.`a`.`c` from (`new`.`t` join `b`.`a`)"
	if got := moved(in, "a", "new"); got != want {
		t.Errorf("got %s", got)
	}
	if got := moved(in, "a", "a"); got != in {
		t.Errorf("got %s", got)
	}
}
