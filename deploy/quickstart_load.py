"""SQL for the quick start, on stdout: `schema`, `rows WRITER COUNT`, or `changes`."""
import random
import sys

SCHEMAS = ["shop", "stock", "crm"]
TABLES = [f"{SCHEMAS[n % 3]}.t{n:02d}" for n in range(24)]


def schema():
    for name in SCHEMAS:
        print(f"CREATE DATABASE {name} DEFAULT CHARACTER SET utf8mb4;")
    for name in TABLES:
        print(f"CREATE TABLE {name} (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT, "
              f"note VARCHAR(100), price DECIMAL(10,2), at DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), "
              f"KEY (customer));")


def rows(writer, count):
    choose = random.Random(writer)
    done = 0
    while done < count:
        table = choose.choice(TABLES)
        if choose.random() < 0.7:
            many = choose.randrange(1, 30)
            values = ",".join(f"({choose.randrange(9999)},'note {choose.randrange(1 << 30)} grün',"
                              f"{choose.randrange(10 ** 6) / 100})" for _ in range(many))
            print(f"INSERT INTO {table} (customer, note, price) VALUES {values};")
        else:
            many = 10
            first = choose.randrange(1, 2000)
            print(f"UPDATE {table} SET customer = customer + 1, note = CONCAT('n', id) "
                  f"WHERE id BETWEEN {first} AND {first + many};")
        done += many


def changes():
    for n in range(12):
        table = TABLES[n * 2]
        print(f"ALTER TABLE {table} ADD COLUMN extra{n} INT NOT NULL DEFAULT {n};")
        print(f"CREATE INDEX x{n} ON {table} (note);")
        print(f"CREATE TABLE shop.fresh{n} (id INT PRIMARY KEY, text VARCHAR(20));")
        print(f"INSERT INTO shop.fresh{n} VALUES (1, 'one'), (2, 'two');")
        print(f"RENAME TABLE shop.fresh{n} TO crm.moved{n};")
        print(f"INSERT INTO crm.moved{n} VALUES (3, 'three');")
        if n % 4 == 3:
            print(f"DROP TABLE crm.moved{n};")
        print("SELECT SLEEP(0.2) INTO @ignored;")


def main():
    what = sys.argv[1]
    if what == "rows":
        rows(int(sys.argv[2]), int(sys.argv[3]))
    else:
        {"schema": schema, "changes": changes}[what]()


main()
