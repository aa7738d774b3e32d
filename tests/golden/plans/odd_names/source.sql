CREATE TABLE "odd.name" ("ID" integer CONSTRAINT odd PRIMARY KEY, "say ""hi""" text, "it's" text, "select" text, "größe in cm" text);
CREATE TABLE "Order Items" ("Id" integer CONSTRAINT items PRIMARY KEY, "odd.id" integer);
INSERT INTO "odd.name" VALUES (1, 'a', NULL, $$it's$$, 'ß'), (2, '"', '\', NULL, '');
INSERT INTO "Order Items" VALUES (1, 1), (2, 2), (3, 3), (4, NULL);
