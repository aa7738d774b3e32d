-- What the new application's own migrations have made before the data comes: its schema, and its enums.
CREATE SCHEMA app;
CREATE TYPE app.user_role AS ENUM ('admin', 'doctor', 'staff', 'lab', 'guest');
CREATE TYPE app.sex AS ENUM ('female', 'male', 'unknown');
CREATE TYPE app.order_status AS ENUM ('draft', 'submitted', 'approved', 'in_production', 'shipped', 'delivered', 'cancelled');
