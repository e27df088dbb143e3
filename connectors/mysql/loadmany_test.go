package mysql

import (
	"io"
	"strings"
	"testing"
)

func TestIndexesLast(t *testing.T) {
	t.Parallel()
	const rest = "-- Dumping data for table `a`\nINSERT INTO `a` VALUES\n(1,'\n  KEY `x` (`y`)\n) ENGINE=InnoDB');\n"
	def := func(lines, end string) string {
		return "\n-- Table structure\nCREATE TABLE `a` (\n" + lines + "\n" + end + ";\n"
	}
	const end = ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
	for name, tt := range map[string]struct{ in, out, tail string }{
		"plain": {
			def("  `id` int(11) NOT NULL,\n  `k` text DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`k`),\n  KEY `x` (`k`(10)),\n  KEY `a``b` (`id`,`k`) USING BTREE COMMENT 'c'", end),
			def("  `id` int(11) NOT NULL,\n  `k` text DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`k`)", end),
			"\nALTER TABLE `a` ADD KEY `x` (`k`(10)), ADD KEY `a``b` (`id`,`k`) USING BTREE COMMENT 'c';\n",
		},
		"counts by its own": {
			def("  `id` int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`)", end+" AUTO_INCREMENT=7"),
			def("  `id` int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)", end+" AUTO_INCREMENT=7"), "\nALTER TABLE `a` ADD KEY `x` (`id`);\n",
		},
		"counts by another": {def("  `id` int(11) NOT NULL,\n  `n` int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`),\n  KEY `x` (`n`)", end), "", ""},
		"no primary key":    {def("  `id` int(11) NOT NULL,\n  KEY `x` (`id`)", end), "", ""},
		"no index":          {def("  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`)", end), "", ""},
		"refers":            {def("  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`),\n  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `b` (`id`)", end), "", ""},
		"full text last":    {def("  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`),\n  FULLTEXT KEY `f` (`id`)", end), "", ""},
		"MyISAM":            {def("  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`)", ") ENGINE=MyISAM"), "", ""},
		"with history":      {def("  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`)", end+" WITH SYSTEM VERSIONING"), "", ""},
		"a check that lies": {def("  `id` int(11) NOT NULL DEFAULT '\n  KEY `x` (`id`)',\n  PRIMARY KEY (`id`)", end), "", ""},
		"very long":         {def("  `id` int(11) NOT NULL COMMENT '"+strings.Repeat("x", longestDefinition)+"',\n  PRIMARY KEY (`id`),\n  KEY `x` (`id`)", end), "", ""},
	} {
		if tt.out == "" {
			tt.out = tt.in
		}
		got, err := io.ReadAll(indexesLast(strings.NewReader(tt.in+rest), "a"))
		if want := tt.out + rest + tt.tail; err != nil || string(got) != want {
			t.Errorf("%s: %v\n%.600s\nwant\n%.600s", name, err, got, want)
		}
	}
	broken := io.MultiReader(strings.NewReader("\nCREATE TABLE `a` (\n"), failed{io.ErrUnexpectedEOF})
	if got, err := io.ReadAll(indexesLast(broken, "a")); err == nil {
		t.Errorf("%q was taken for all there is", got)
	}
}
